/**
 * The properties of a container runtime that decide which Pod fields it can honour. The runtime declares
 * them; plan/pod/fields checks Pods against them.
 */
export interface RuntimeTraits {
	/**
	 * Of the Pod fields that need support by a runtime, the ones that it honours, by their path in the schema:
	 * `spec.containers[].tty` (which covers init containers too). `everything` is for a runtime that only
	 * simulates containers.
	 */
	readonly honours: 'everything' | ReadonlySet<string>;
	/** The user that runs containers unless the Pod names one; undefined on a system without numeric users. */
	readonly user: ProcessUser | undefined;
	/** The operating system of the containers, as a GOOS value: linux, darwin. */
	readonly os: string;
	/**
	 * True if containers are programs of the host: a container with a `command` then needs no image, and the runtime
	 * resolves only the image of a container without one.
	 */
	readonly runsHostPrograms: boolean;
	/** Whether commands can be run in containers: probes and hooks by `exec` need that. */
	readonly canExec: boolean;
	/** Whether `updateContainerResources` can change the limits of a running container. */
	readonly canResize: boolean;
	/** Whether the content of an image can be mounted as a volume. Absent: it cannot. */
	readonly mountsImages?: true;
	/**
	 * `copied`: nothing can be mounted into containers, and volumes of files from the API are copied into each at its start.
	 * Absent: volumes are mounted, if the runtime honours them.
	 */
	readonly volumes?: 'copied';
	/**
	 * Whose `/etc/hosts` the node agent mounts into containers: one for the Pod's own network, or the node's with the
	 * Pod's aliases if all containers share the network of the node. Absent if the containers keep that of the runtime.
	 */
	readonly hostsFile?: 'pod' | 'node';
	/**
	 * Into which containers the node agent mounts a `/etc/resolv.conf` of their Pod: all, or those whose Pods do not resolve
	 * names as the node, if the others see the file of the node anyway. Absent: none.
	 */
	readonly resolvConf?: 'always' | 'if-other';
	/** How containers are isolated from the machine; absent if the runtime does not say. */
	readonly isolation?: IsolationTrait;
	/** Whose network Pods have that do not ask for that of the node; absent if the runtime does not say. */
	readonly podNetwork?: PodNetworkTrait;
}

/**
 * Whose network Pods have: one of their own, with the reason if it is known that they reach no other machine from there, or that
 * of the node, with the reason if that was not asked for. `nodeAddress` is an address by which only the machine and its Pods reach
 * the node; absent if there is none.
 */
export type PodNetworkTrait =
	| { readonly kind: 'pod'; readonly confined?: string; readonly nodeAddress?: string }
	| { readonly kind: 'host'; readonly reason?: string };

/**
 * What keeps containers apart from the machine: namespaces made by root, user namespaces, a root file system by chroot
 * alone, or nothing. `reason`: why not more, for the last two.
 */
export interface IsolationTrait {
	readonly level: 'root' | 'user' | 'chroot' | 'none';
	readonly reason?: string;
}

/** The user and groups of a process. */
export interface ProcessUser {
	readonly uid: number;
	readonly gid: number;
	/** The supplementary groups. */
	readonly groups: readonly number[];
}
