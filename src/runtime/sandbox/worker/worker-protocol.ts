/**
 * The protocol between the server and the image worker: a process that pulls images, so that neither their bytes nor a
 * hostile archive are in the server. For an ordinary user, it also works on files that belong to users of containers. One JSON
 * value a line: the settings, then calls on its standard input; progress, results and errors on its standard output. When its
 * standard input ends, it gives up what it has begun, and ends.
 */
import type { FileReaders } from '../../../api/contract/file-readers.ts';
import type { DiskUsage } from '../../../base/files/disk-usage.ts';
import type { ImagePullSecret } from '../../contract.ts';
import type { OwnershipOptions } from '../../files/volume-ownership.ts';
import type { OverlayUse } from '../layer-files.ts';

/** The first line that the worker reads. */
export interface WorkerSettings {
	/** The folder of the store. */
	readonly store: string;
	/** The path of the shim. */
	readonly shim: string;
	readonly overlays: OverlayUse;
	/** Whether files get the owners that the image gives them. */
	readonly hasOwners: boolean;
	/** Whether layers are kept as they came. */
	readonly keepsBlobs: boolean;
	/** The file of mirrors, in the form of k3s's registries.yaml; it need not exist. */
	readonly registriesPath: string;
	/** `stint/<version>`. */
	readonly userAgent: string;
}

/** The calls of the worker. */
export interface WorkerCalls {
	/** Pulls an image, whose name is well-formed. */
	pull(request: PullRequest): Promise<PulledRecord>;
	/** Adds the images of an archive: see loadImages. */
	load(request: LoadRequest): Promise<readonly LoadedRecord[]>;
	/** Makes a copy of an image as the root of a container; returns its folder. */
	copyRoot(request: CopyRequest): Promise<string>;
	/** Makes a volume of a container with the content of its image; returns its folder. See ContainerRoots.createVolume. */
	copyVolume(request: VolumeCopyRequest): Promise<string>;
	/** As the methods of ContainerFiles, with the ids of containers. */
	giveTo(request: FileRequest & { readonly readers: FileReaders }): Promise<void>;
	setOwnership(request: FileRequest & { readonly options: OwnershipOptions }): Promise<void>;
	removeFiles(request: FileRequest): Promise<void>;
	usageOf(request: FileRequest): Promise<DiskUsage>;
	makeSubPath(request: BelowRequest): Promise<boolean>;
	/** Resolves to null in place of undefined, which JSON does not have. */
	textInVolume(request: BelowRequest): Promise<string | null>;
}

/** A path below a volume. */
export interface BelowRequest {
	readonly root: string;
	readonly below: string;
}

/** A file or folder of a volume. */
export interface FileRequest {
	readonly path: string;
}

/** An image to pull. */
export interface PullRequest {
	readonly image: string;
	readonly pullSecrets: readonly ImagePullSecret[];
}

/** An archive to load. */
export interface LoadRequest {
	/** The absolute path of its file. */
	readonly path: string;
}

/** An image that an archive had. */
export interface LoadedRecord {
	readonly id: string;
	/** The whole names that the archive gives it. */
	readonly names: readonly string[];
}

/** The root of a container to make. */
export interface CopyRequest {
	readonly containerId: string;
	readonly owner: string;
	readonly imageId: string;
}

/** The volume of a container to make. */
export interface VolumeCopyRequest {
	readonly containerId: string;
	readonly imageId: string;
	readonly path: string;
	readonly name: string;
}

/** A pulled image. */
export interface PulledRecord {
	/** The size of its documents and packed layers. */
	readonly sizeBytes: number;
}

/** How much of the layers of an image has arrived. */
export interface PullProgress {
	readonly doneBytes: number;
	readonly totalBytes: number;
}

/** A call as it is sent. */
export interface WorkerCall {
	readonly id: number;
	readonly method: keyof WorkerCalls;
	readonly argument: unknown;
}

/** A line of the worker. A failure has a message that contains no secret. */
export type FromWorker =
	| { readonly id: number; readonly progress: PullProgress }
	| { readonly id: number; readonly result: unknown }
	| { readonly id: number; readonly failure: WorkerFailure }
	/** An error that no call rejects with. */
	| { readonly warning: string };

/** Why a call failed. */
export interface WorkerFailure {
	readonly message: string;
	/** What the user can do, if that is known. */
	readonly hint?: string;
}
