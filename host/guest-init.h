/*
 * guest-init.h - the scripts that run as process 1 inside a Debian guest of ours.
 *
 * They read these words of the kernel's command line: root=DEVICE (go on in that file system),
 * init=PROGRAM (as that file system's process 1), lyrebird.size=ROWSxCOLUMNS (of the user's terminal).
 */
#ifndef HOST_GUEST_INIT_H
#define HOST_GUEST_INIT_H

/* /init of the initramfs, for busybox's ash and applets. */
extern const char guest_init[];

/* The script that busybox's udhcpc calls; udhcpc(8) names its variables. */
extern const char guest_dhcp_script[];

/* /etc/profile of the initramfs. */
extern const char guest_profile[];

/* /usr/sbin/lyrebird-init of a root image, for a system without an init of its own. */
extern const char guest_root_init[];

/* /usr/sbin/lyrebird-finish of a root image: lets Debian configure its packages. */
extern const char guest_root_finish[];

/* /etc/profile.d/lyrebird.sh of a root image. */
extern const char guest_root_profile[];

#endif
