/**
 * What a runtime receives about a container, modelled on the CRI's ContainerConfig: everything that the Pod says about
 * it, with all values resolved. plan/pod/config makes it; runtimes read it. Which parts a runtime honours is declared
 * by its traits (runtime-traits.ts): plan/pod/fields keeps a container that needs another part from starting.
 */

import type { SecurityContext } from '../core/pod/schema.ts';

/** The configuration of one container attempt. */
export interface ContainerConfig {
	readonly name: string;
	/** Number of containers of this name created in the Pod before this one: the restart count. */
	readonly attempt: number;
	readonly image: string;
	/** Replaces the image's entrypoint; empty: the image's own. */
	readonly command: readonly string[];
	/** Replaces the image's arguments. */
	readonly args: readonly string[];
	readonly env: readonly { readonly name: string; readonly value: string }[];
	/** Empty: the image's own. */
	readonly workingDir: string;
	readonly stdin: boolean;
	/** If true, standard input is closed after the first client that attached to it has left. */
	readonly stdinOnce: boolean;
	readonly tty: boolean;
	/**
	 * The id of the container whose process namespace this one shares; undefined: as its sandbox says. For ephemeral
	 * containers with a targetContainerName.
	 */
	readonly targetContainerId: string | undefined;
	readonly resources: ContainerResources;
	/** How readily the kernel ends its processes when the machine is out of memory: -1000 (never) to 1000 (first). */
	readonly oomScoreAdj: number;
	readonly security: ContainerSecurity;
	readonly mounts: readonly Mount[];
	readonly devices: readonly Device[];
	/** Absolute path in the container of the file to which it writes its termination message; empty: none. */
	readonly terminationMessagePath: string;
	/**
	 * The file of the host that appears at `terminationMessagePath`, from which the caller reads after the exit; empty:
	 * none. The caller has made it, empty and writable by every user, as the kubelet does.
	 */
	readonly terminationMessageFile: string;
	/** The signal that asks the container to stop, such as SIGUSR1; undefined: that of the image, else SIGTERM. */
	readonly stopSignal: string | undefined;
	/** The labels by which the kubelet finds the container, such as `io.kubernetes.pod.uid`. */
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly logPath: string;
}

/** What a container (or a Pod) reserves, and what it may use at most. */
export interface ContainerResources {
	readonly requests: ResourceAmounts;
	readonly limits: ResourceAmounts;
}

/** Amounts of resources; an absent one is not set. */
export interface ResourceAmounts {
	readonly cpuMillis?: number;
	readonly memoryBytes?: number;
	readonly ephemeralStorageBytes?: number;
	/** By resource name: huge pages in bytes, and the numbers of devices. */
	readonly others: Readonly<Record<string, number>>;
}

/** The security settings of a container, in which those of the container override those of its Pod. */
export interface ContainerSecurity {
	/** Absent: the user of the image. */
	readonly runAsUser?: number;
	/** Absent: the group of the image. */
	readonly runAsGroup?: number;
	/** If true, the container must not be created if it would run as user 0. */
	readonly runAsNonRoot: boolean;
	/** The further groups of the process, fsGroup included. */
	readonly supplementalGroups: readonly number[];
	/** Whether the groups that the image gives the user are added to `supplementalGroups`. */
	readonly supplementalGroupsPolicy: 'Merge' | 'Strict';
	/** Absent: the Pod does not say; upstream's default is false. */
	readonly privileged: boolean | undefined;
	readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
	/** If true, no process may gain privileges, for example through a setuid program. */
	readonly noNewPrivileges: boolean;
	readonly readOnlyRootFilesystem: boolean;
	/** Whether the sensitive parts of /proc are masked. */
	readonly procMount: 'Default' | 'Unmasked';
	readonly seccompProfile: SecurityContext['seccompProfile'];
	readonly appArmorProfile: SecurityContext['appArmorProfile'];
	readonly seLinuxOptions: SecurityContext['seLinuxOptions'];
	readonly windowsOptions: SecurityContext['windowsOptions'];
}

/** A file or directory of the host, or the content of an image, that appears in the container. */
export interface Mount {
	/** Empty for an image. */
	readonly hostPath: string;
	/** The name of the image whose content is mounted. The caller has pulled it. */
	readonly image?: string;
	/**
	 * The part of `hostPath` that is mounted; empty: all of it. The runtime resolves it without following a symbolic
	 * link out of `hostPath`, since the container may have written the links.
	 */
	readonly subPath: string;
	/** Absolute. */
	readonly containerPath: string;
	readonly readOnly: boolean;
	/** Whether mounts below it are read-only too; with IfPossible, if the kernel can do that. */
	readonly recursiveReadOnly: 'Disabled' | 'IfPossible' | 'Enabled';
	/** Whether mounts that the host, or the container, makes later below it appear on the other side. */
	readonly propagation: 'None' | 'HostToContainer' | 'Bidirectional';
}

/** A block device of the host that appears in the container. */
export interface Device {
	readonly hostPath: string;
	readonly containerPath: string;
	readonly readOnly: boolean;
}
