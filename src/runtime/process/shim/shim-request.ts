import type { ProcessIdentity } from '../launcher/process-table.ts';

/** A mount of a {@link ContainerBox}: see Mount in api/contract/container-config.ts. */
export interface BoxMount {
	readonly source: string;
	/** The part of `source` to mount; empty: all of it. Never leads out of `source`. */
	readonly subPath: string;
	readonly target: string;
	/**
	 * `r` read-only, `R` with all mounts below it, `H` propagation from the host. With {@link ContainerRoot.isChroot} the
	 * source is copied instead; `B`: a file that is copied back at the end of the container.
	 */
	readonly flags: string;
}

/** The root file system of a container with an image. All paths are absolute. */
export interface ContainerRoot {
	/** The folder at which it is mounted; it holds a copy of the image if there is no `overlay`. */
	readonly folder: string;
	/** Nothing can be mounted: the program enters the folder by chroot(2). See native/shim/chroot.c. */
	readonly isChroot?: true;
	readonly overlay?: {
		/** The folders of the layers, the uppermost first. */
		readonly lower: readonly string[];
		/** What the container writes, and a folder beside it for the kernel; both are empty at the start. */
		readonly upper: string;
		readonly work: string;
	};
}

/** The isolation of a container by the shim. The server makes it, and the launcher passes it on. */
export interface ContainerBox {
	/** Its own namespaces, as letters: `m` mounts, `p` processes, `i` IPC, `h` host name. */
	readonly namespaces: string;
	readonly hostname?: string;
	readonly fileSystems: readonly {
		readonly type: string;
		readonly target: string;
		readonly options: string;
	}[];
	readonly mounts: readonly BoxMount[];
	/** The root of a container with an image; absent: that of the machine. */
	readonly root?: ContainerRoot;
	/** Paths that the container cannot read, and those that it cannot write. */
	readonly masked?: readonly string[];
	readonly protected?: readonly string[];
	/** Symbolic links to make. */
	readonly links?: readonly { readonly path: string; readonly target: string }[];
	readonly user?: { readonly uid: number; readonly gid: number };
	/** The supplementary groups; absent: those of the launcher. */
	readonly groups?: readonly number[];
	/** The maps of a user namespace of its own, as lines `inner outer count`; absent: none. */
	readonly idMaps?: { readonly uid: string; readonly gid: string };
	/** The capabilities that it may have, as a mask in hexadecimal digits; absent: those of the launcher. */
	readonly capabilities?: string;
	readonly noNewPrivileges?: boolean;
	readonly readOnlyRoot?: boolean;
	/** Path of a system call filter, as the kernel takes it. */
	readonly seccomp?: string;
	readonly oomScoreAdj?: number;
	/** Kernel parameters: paths below /proc/sys and their values. */
	readonly sysctls?: readonly { readonly path: string; readonly value: string }[];
}

/** A program for the shim to start; see `struct request` in native/shim/shim.h. */
export interface ShimRequest {
	readonly id: string;
	readonly argv: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly cwd?: string;
	/** Paths of named pipes, relative to the launcher's folder. Absent: the null device. */
	readonly stdin?: string;
	readonly stdout?: string;
	readonly stderr?: string;
	/** The pipe for the size of the terminal and the end of standard input. */
	readonly control?: string;
	readonly tty?: boolean;
	readonly box?: ContainerBox;
	/** Folders of control groups that the program joins, and the file that counts its kills for want of memory. */
	readonly cgroups?: readonly string[];
	readonly oomFile?: string;
	/** The process whose namespaces it joins: as another container of the Pod, or with `enter` as a command in it. */
	readonly join?: ProcessIdentity;
	readonly enter?: boolean;
	/** Path of the network namespace that it joins; absent: that of the launcher, or of the joined process. */
	readonly netns?: string;
	/** Path of the network namespace with the bridge of the Pod, which its waiter holds; only with `netns`. */
	readonly node?: string;
	/** In place of a program: the port of the loopback address to connect the standard streams to. */
	readonly dial?: number;
}

/** A change of networks for the shim to make; see native/shim/network.c. Addresses are such as `10.244.0.1/16`. */
export type NetworkRequest = NetworkChange & {
	/** Path of the network namespace in which to make it; absent: that of the shim. */
	readonly node?: string;
};

type NetworkChange =
	/** Makes the namespace for the bridge of an ordinary user; the maps are those of its user namespace. */
	| { readonly network: 'node'; readonly uidmap: string; readonly gidmap: string }
	/** Makes a bridge, which has the address. */
	| {
			readonly network: 'bridge';
			readonly device: string;
			readonly address: string;
			readonly alias: string;
	  }
	/** Makes the namespace of a Pod. `device` is the name of the bridge's end of its link. */
	| {
			readonly network: 'pod';
			readonly device: string;
			readonly bridge: string;
			readonly address: string;
			readonly gateway: string;
	  }
	/** Makes all addresses of the range `address` this machine's while the bridge exists, and sets its alias. */
	| {
			readonly network: 'local';
			readonly device: string;
			readonly address: string;
			readonly alias: string;
	  }
	/** Undoes that. */
	| { readonly network: 'unlocal'; readonly device: string; readonly address: string }
	/** Removes a link, if it exists. */
	| { readonly network: 'remove'; readonly device: string }
	/** Closes a descriptor of the shim. Has no answer. */
	| { readonly network: 'close'; readonly descriptor: string };

/** Whether a container with this box has a process namespace of its own, so that all its processes end with the first. */
export function hasOwnProcesses(box: ContainerBox | undefined): boolean {
	return box?.namespaces.includes('p') ?? false;
}

/** The box of a command that enters the container with this one: it has the same user and rights. */
export function rightsOnly(box: ContainerBox): ContainerBox {
	const { user, groups, capabilities, noNewPrivileges, seccomp, oomScoreAdj } = box;
	return {
		namespaces: '',
		fileSystems: [],
		mounts: [],
		...(box.root && { root: box.root }),
		...(user && { user }),
		...(groups && { groups }),
		...(capabilities !== undefined && { capabilities }),
		...(noNewPrivileges && { noNewPrivileges }),
		...(seccomp !== undefined && { seccomp }),
		...(oomScoreAdj !== undefined && { oomScoreAdj }),
	};
}

/** Encodes a request for the shim's standard input. Throws a TypeError if a value contains a zero byte. */
export function encodeRequest(request: ShimRequest): Buffer {
	return encodeFields(fieldsOf(request));
}

/** Encodes a request about networks, likewise. */
export function encodeNetworkRequest(id: string, request: NetworkRequest): Buffer {
	return encodeFields([['id', id], ...Object.entries(request)]);
}

function encodeFields(fields: Iterable<Field>): Buffer {
	const strings = Array.from(fields).flat();
	// The text may be a secret: it is not part of the message.
	if (strings.some((text) => text.includes('\0')))
		throw new TypeError('an argument, a variable or a path contains a zero byte');
	const body = Buffer.from(`${strings.join('\0')}\0`);
	if (body.length > LONGEST_REQUEST_BYTES)
		throw Object.assign(new Error('the arguments and variables are too long'), { code: 'E2BIG' });
	const head = Buffer.alloc(4);
	head.writeUInt32LE(body.length);
	return Buffer.concat([head, body]);
}

/** The longest request that the shim takes: MAX_REQUEST in shim.h. */
const LONGEST_REQUEST_BYTES = 8 << 20;

type Field = readonly [name: string, ...values: readonly string[]];

function* fieldsOf(request: ShimRequest): Iterable<Field> {
	const { argv, env, box, join, cgroups = [], dial, ...rest } = request;
	for (const arg of argv) yield ['arg', arg];
	for (const [name, value] of Object.entries(env)) yield ['env', `${name}=${value}`];
	for (const path of cgroups) yield ['cgroup', path];
	if (join) yield ['join', String(join.pid), join.start ?? ''];
	if (dial !== undefined) yield ['dial', String(dial)];
	yield* plainFields(rest);
	if (box) yield* boxFields(box);
}

/** The fields whose value is a text or a flag; the shim knows them by the same names, in small letters. */
function* plainFields(values: Readonly<Record<string, string | boolean>>): Iterable<Field> {
	for (const [name, value] of Object.entries(values)) {
		if (value === true) yield [name.toLowerCase()];
		else if (typeof value === 'string') yield [name.toLowerCase(), value];
	}
}

function* boxFields(box: ContainerBox): Iterable<Field> {
	yield ['ns', box.namespaces];
	if (box.hostname !== undefined) yield ['hostname', box.hostname];
	for (const { type, target, options } of box.fileSystems) yield ['fs', type, target, options];
	for (const { source, subPath, target, flags } of box.mounts)
		yield ['mount', source, subPath, target, flags];
	for (const { path, value } of box.sysctls ?? []) yield ['sysctl', path, value];
	if (box.root) yield* rootFields(box.root);
	for (const { path, target } of box.links ?? []) yield ['link', path, target];
	for (const path of box.masked ?? []) yield ['mask', path];
	for (const path of box.protected ?? []) yield ['protect', path];
	yield* identityFields(box);
}

function* rootFields({ folder, isChroot, overlay }: ContainerRoot): Iterable<Field> {
	yield ['image'];
	yield ['root', folder];
	if (isChroot) yield ['chroot'];
	if (!overlay) return;
	for (const folder of overlay.lower) yield ['lower', folder];
	yield ['upper', overlay.upper];
	yield ['work', overlay.work];
}

function* identityFields(box: ContainerBox): Iterable<Field> {
	if (box.user) yield ['user', String(box.user.uid), String(box.user.gid)];
	if (box.groups) yield ['groups'];
	for (const group of box.groups ?? []) yield ['group', String(group)];
	if (box.idMaps) {
		yield ['userns'];
		yield ['uidmap', box.idMaps.uid];
		yield ['gidmap', box.idMaps.gid];
	}
	if (box.capabilities !== undefined) yield ['caps', box.capabilities];
	if (box.noNewPrivileges) yield ['nonewprivs'];
	if (box.readOnlyRoot) yield ['readonlyroot'];
	if (box.seccomp !== undefined) yield ['seccomp', box.seccomp];
	if (box.oomScoreAdj !== undefined) yield ['oomscore', String(box.oomScoreAdj)];
}
