import type { Pod } from '../../api/core/pod/schema.ts';
import type { MountStep } from '../../plan/pod/inputs/mount-events.ts';
import type { PreparedVolume } from '../../plan/pod/inputs/values.ts';
import type { VolumeSetUp } from '../../plan/pod/inputs/volume-kinds.ts';

/** A volume that the node makes; images are volumes that the runtime makes. */
export type HostVolume = Exclude<VolumeSetUp, { readonly kind: 'image' }>;

/** Sets up the volumes of a node, and the other files that it mounts into containers. */
export interface VolumeHost {
	/**
	 * Sets the volume up; for one that is set up, it only replaces the files that have changed. Rejects with the reason
	 * as its message, or with {@link MountError}.
	 */
	setUp(pod: Pod, volume: HostVolume, options: SetUpOptions): Promise<PreparedVolume>;
	/** Removes the volumes and files of the Pod, if it has any. Its containers must have been removed. */
	remove(podUid: string): Promise<void>;
	/** Removes those of all Pods for which `isKept` returns false. */
	sweep(isKept: (podUid: string) => boolean): Promise<void>;
	/** The space that each volume takes whose files are the Pod's own, by its name. */
	usageOf(
		podUid: string,
	): Promise<ReadonlyMap<string, { readonly usedBytes: number; readonly inodes: number }>>;
	/** Writes the `/etc/hosts` of the Pod; resolves to its path. */
	writeHosts(podUid: string, text: string): Promise<string>;
	/** Makes the `/etc/resolv.conf` of the Pod, unless it exists; resolves to its path. */
	makeResolvConf(podUid: string, text: string): Promise<string>;
	/**
	 * Makes the file for the termination message of a container attempt, empty and writable by every user, unless it exists;
	 * resolves to its path.
	 */
	makeMessageFile(podUid: string, container: string, attempt: number): Promise<string>;
	/** The path of a file that {@link makeMessageFile} has made. */
	messageFile(podUid: string, container: string, attempt: number): string;
	/** Removes a file that {@link makeMessageFile} has made, if it exists. */
	removeMessageFile(podUid: string, container: string, attempt: number): Promise<void>;
	/** The `/etc/hosts` of the node. */
	nodeHosts(): Promise<string>;
	/** The `/etc/resolv.conf` of the node; empty if there is none. */
	nodeResolvConf(): Promise<string>;
	/** The text of a file below a volume, without following links out of it; undefined if it cannot be read. */
	textInVolume(volumePath: string, path: string): Promise<string | undefined>;
	/**
	 * Creates the folder `subPath` in a volume if it does not exist. Resolves to false if a link leads it out of the volume. Rejects
	 * with the system's error.
	 */
	makeSubPath(volumePath: string, subPath: string): Promise<boolean>;
}

/** The circumstances of a set-up. */
export interface SetUpOptions {
	/** Whether containers may be using the volume: those of this Pod, or of another one that shares it. */
	readonly inUse: boolean;
}

/** A volume could not be set up, at a step that upstream's event names. */
export class MountError extends Error {
	override readonly name = 'MountError';
	readonly step: MountStep;

	constructor(step: MountStep, message: string) {
		super(message);
		this.step = step;
	}
}
