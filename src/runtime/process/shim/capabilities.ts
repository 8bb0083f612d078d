/** The capabilities of Linux, in the order of their numbers (linux/capability.h), without the prefix CAP_. */
const NAMES = [
	...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
	...[
		'LINUX_IMMUTABLE',
		'NET_BIND_SERVICE',
		'NET_BROADCAST',
		'NET_ADMIN',
		'NET_RAW',
		'IPC_LOCK',
		'IPC_OWNER',
	],
	...[
		'SYS_MODULE',
		'SYS_RAWIO',
		'SYS_CHROOT',
		'SYS_PTRACE',
		'SYS_PACCT',
		'SYS_ADMIN',
		'SYS_BOOT',
		'SYS_NICE',
	],
	...[
		'SYS_RESOURCE',
		'SYS_TIME',
		'SYS_TTY_CONFIG',
		'MKNOD',
		'LEASE',
		'AUDIT_WRITE',
		'AUDIT_CONTROL',
		'SETFCAP',
	],
	...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
	'CHECKPOINT_RESTORE',
];

/** What container runtimes give a container that asks for nothing (containerd: `defaultUnixCaps`). */
const DEFAULTS = [
	...[
		'CHOWN',
		'DAC_OVERRIDE',
		'FSETID',
		'FOWNER',
		'MKNOD',
		'NET_RAW',
		'SETGID',
		'SETUID',
		'SETFCAP',
		'SETPCAP',
	],
	...['NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
];

/** The capabilities that a security context adds and drops; names with or without CAP_, in any case, and ALL. */
export interface CapabilityChanges {
	readonly add: readonly string[];
	readonly drop: readonly string[];
}

/**
 * The capabilities of a container as a mask in hexadecimal digits: the defaults of container runtimes, with the changes.
 * ALL comes before the single names (containerd: `WithCapabilities`).
 */
export function capabilityMask({ add, drop }: CapabilityChanges): string {
	const added = add.map(plainName);
	const dropped = drop.map(plainName);
	const kept = new Set(added.includes('ALL') ? NAMES : DEFAULTS);
	if (dropped.includes('ALL')) kept.clear();
	for (const name of added) if (name !== 'ALL') kept.add(name);
	for (const name of dropped) kept.delete(name);
	const mask = NAMES.reduce((bits, name, bit) => (kept.has(name) ? bits | (1n << BigInt(bit)) : bits), 0n);
	return mask.toString(16);
}

/** The names in `changes` that Linux does not have. */
export function unknownCapabilities({ add, drop }: CapabilityChanges): readonly string[] {
	return [...add, ...drop].filter((name) => !KNOWN.has(plainName(name)));
}

const KNOWN: ReadonlySet<string> = new Set([...NAMES, 'ALL']);

function plainName(name: string): string {
	return name.toUpperCase().replace(/^CAP_/, '');
}
