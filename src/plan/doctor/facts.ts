import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { SubordinateRange } from './subordinate-ranges.ts';

/**
 * What `stint doctor` has found out about a machine: results of trials, and the texts of the files that say why something
 * is refused. main/doctor/ gathers them; the rules of this folder turn them into findings with advice (diagnose.ts).
 */
export interface MachineFacts {
	readonly system: SystemFacts;
	readonly isolation: IsolationFacts;
	/** What the runtime of host processes declares on this machine. */
	readonly traits: RuntimeTraits;
	readonly cgroups: readonly CgroupFacts[];
	readonly ids: IdFacts;
	/** The socket of a container engine, or why there is none. */
	readonly engine: EngineFacts;
	/** The same of a runtime of the CRI. */
	readonly cri: EngineFacts;
	readonly podNetworks: PodNetworkFacts;
	readonly limits: LimitFacts;
	readonly dataFolder: DataFolderFacts;
	readonly zones: ZoneFacts;
	/** Undefined if no kubectl is on PATH. */
	readonly kubectl: KubectlFacts | undefined;
	/** The port of `stint server`, which is free if the trial was allowed. */
	readonly port: { readonly number: number; readonly trial: Trial };
}

/** The result of trying something. */
export type Trial =
	| { readonly kind: 'allowed' }
	/** `code` is a system error such as EPERM, `step` the call that failed, `detail` what it was about. */
	| { readonly kind: 'refused'; readonly code: string; readonly step: string; readonly detail?: string }
	| { readonly kind: 'untried'; readonly why: string };

/** A refused {@link Trial}. */
export type RefusedTrial = Trial & { readonly kind: 'refused' };

/** The system and the process that ran the trials. */
export interface SystemFacts {
	/** As Node names it: linux, darwin. */
	readonly platform: string;
	readonly architecture: string;
	readonly kernel: string;
	/** Undefined on a system without numeric users. */
	readonly uid: number | undefined;
	readonly userName: string;
	/** How the user called stint, such as `./stint`: advice begins with it. */
	readonly program: string;
	readonly nodeVersion: string;
	/** Whether a child process can be started. */
	readonly spawn: Trial;
	/** The container in which stint itself runs; undefined if it seems to run in none. */
	readonly outer: OuterContainer | undefined;
	/** Values of kernel parameters by name, such as `user.max_user_namespaces`; those that the kernel lacks are absent. */
	readonly sysctls: Readonly<Record<string, string>>;
	/** Whether a system call filter applies to this process (mode 2 of seccomp). */
	readonly hasSeccompFilter: boolean;
	/** The AppArmor profile of this process that is enforced; undefined if there is none. */
	readonly appArmorProfile: string | undefined;
}

/** What made the container in which stint runs: the words of the advice depend on it. */
export type OuterContainer = 'docker' | 'podman' | 'kubernetes' | 'other';

/** What the shim found out by trying. */
export interface IsolationFacts {
	/** The path of the shim; undefined if stint has none for this system, or it cannot be executed. */
	readonly shim: string | undefined;
	/** How containers are isolated: the level that the runtimes use; `chroot` is one of the runtime sandbox alone. */
	readonly level: 'root' | 'user' | 'chroot' | 'none';
	/** The box that a container gets; why it is refused decides {@link level}. */
	readonly box: Trial;
	readonly userNamespaces: Trial;
	readonly mounts: Trial;
	/** A process namespace with a /proc of its own. */
	readonly processes: Trial;
	/** The system call filter of the seccomp profile RuntimeDefault. */
	readonly seccomp: Trial;
	/** A root file system of its own, as a container with an image needs; untried where containers have no processes of their own. */
	readonly roots: Trial;
	/** An overlay of folders in the file system of the data folder. */
	readonly overlay: Trial;
	/** A root by chroot in the file system of the data folder; untried where containers can be isolated. */
	readonly chroot: Trial;
}

/** One hierarchy of control groups. */
export interface CgroupFacts {
	readonly version: 1 | 2;
	/** The folder of the group of this process. */
	readonly folder: string;
	/** The controllers that groups below it can have, such as `memory`. */
	readonly controllers: readonly string[];
	/** Whether a group could be made in it. */
	readonly trial: Trial;
}

/** The ids of other users that an ordinary user may have in a user namespace. */
export interface IdFacts {
	/** The length of the longest range that /etc/subuid and /etc/subgid give the user; 0 if none. */
	readonly subuids: number;
	readonly subgids: number;
	/** The ranges of all users in both files. */
	readonly taken: readonly SubordinateRange[];
	/** Whether newuidmap maps them. */
	readonly newuidmap: Trial;
}

/** Whether there is a socket for the runtime docker, or for the runtime cri. */
export type EngineFacts = { readonly socketPath: string } | { readonly problem: string };

/** Whether Pods can have networks of their own; neither is set if so, and they reach other machines. */
export interface PodNetworkFacts {
	/** Why they cannot. */
	readonly refusal?: string;
	/** Why they would reach no other machine. */
	readonly confined?: string;
}

/** Limits of the process and of the user. */
export interface LimitFacts {
	/** The hard limit on open files; undefined if unknown. */
	readonly openFiles: number | undefined;
	readonly inotifyWatches: number | undefined;
	readonly inotifyInstances: number | undefined;
}

/** The data folder, or the nearest existing folder above it. */
export interface DataFolderFacts {
	readonly path: string;
	/** The folder that was tried: `path` itself, unless it does not exist yet. */
	readonly tried: string;
	/** Whether this user can make files there, and other users cannot write to it. */
	readonly trial: Trial;
	/** The type of its file system, such as `ext4`; undefined if unknown. */
	readonly fileSystem: string | undefined;
	readonly freeBytes: number | undefined;
	/** The length of the path of the API's Unix socket, in bytes. */
	readonly socketPathBytes: number;
}

/** Time zones for CronJobs and programs. */
export interface ZoneFacts {
	/** How many zones Node knows. */
	readonly known: number;
	/** The zone of this process. */
	readonly own: string;
	/** Whether programs find zones in /usr/share/zoneinfo. */
	readonly hasFiles: boolean;
}

/** The kubectl on PATH. */
export interface KubectlFacts {
	readonly path: string;
	/** Such as `v1.33.2`; undefined if it could not be asked. */
	readonly version: string | undefined;
}
