/**
 * The images of this machine, for `stint images`: cli/ knows them only by this contract, which main/ implements over the
 * store of the runtime `sandbox`. A server may use the same store meanwhile.
 */
export interface LocalImages {
	/** All images, in no particular order. Empty if there is no store yet; then none is made. */
	list(): Promise<readonly LocalImage[]>;
	/** A name with its defaults filled in. Throws a CommandError with upstream's text if it is malformed. */
	parse(text: string): ImageName;
	/** Pulls an image by a name of {@link parse}, with the credentials of this user. Rejects with the registry's failure. */
	pull(name: ImageName, onProgress: (progress: ImageProgress) => void): Promise<void>;
	/**
	 * Adds the images of an archive: an OCI image layout, or what `docker save` writes, plain or compressed. Those before one
	 * with an error stay.
	 */
	load(archive: ImageArchive): Promise<readonly ArchivedNames[]>;
	/**
	 * Writes an archive that {@link load} and `docker load` read. Rejects before the first byte if a layer was not kept as it
	 * came. A file is whole or unchanged.
	 */
	save(images: readonly ArchivedNames[], to: ArchiveTarget): Promise<void>;
	/** Gives an image of the store a further name, which then no longer means another image. */
	tag(id: string, name: ImageName): Promise<void>;
	/** Removes a name. The image stays. */
	untag(name: ImageName): Promise<void>;
	/** Removes what was pushed to stint's registry by this name. Resolves to false if nothing was. */
	unpublish(name: ImageName): Promise<boolean>;
	/** Removes images with their names. Layers that other images or containers need stay. */
	remove(ids: readonly string[]): Promise<void>;
	/** The bytes that the content of the store takes. */
	usedBytes(): Promise<number>;
	/** Makes calls in progress reject. */
	abort(): void;
	/** Releases the store. No call may be in progress. */
	close(): Promise<void>;
}

/** An image of the store. Times are in ms since the epoch. */
export interface LocalImage {
	/** The digest of its configuration. */
	readonly id: string;
	readonly names: readonly NamedTarget[];
	/** The length of the files of its layers. Layers of several images count for each. */
	readonly sizeBytes: number;
	/** When it came into the store. */
	readonly addedAt: number;
	readonly lastUsedAt: number;
	/** The ids of the containers that were made from it and still exist. */
	readonly containers: readonly string[];
}

/** A name of an image in its forms. */
export interface ImageName {
	/** The whole name: `docker.io/library/bash:5`. */
	readonly full: string;
	/** As users write it: `bash:5`. */
	readonly familiar: string;
	/** {@link familiar} without tag and digest: `bash`. */
	readonly repository: string;
	/** Without the registry: `library/bash`. */
	readonly path: string;
	/** Undefined for a name with a digest. */
	readonly tag: string | undefined;
	/** Of a name with a digest. */
	readonly digest: string | undefined;
}

/** A name of a stored image. */
export interface NamedTarget extends ImageName {
	/** What the registry calls the name: the digest of the index or of the manifest. */
	readonly target: string;
}

/** An archive of images: a file, or bytes. */
export type ImageArchive = { readonly path: string } | { readonly bytes: AsyncIterable<Uint8Array> };

/** Where an archive is written: a file, or a stream, whose `write` resolves when it has room for more. */
export type ArchiveTarget = { readonly path: string } | { write(bytes: Uint8Array): Promise<void> };

/** An image with the names that it has in an archive. */
export interface ArchivedNames {
	readonly id: string;
	readonly names: readonly ImageName[];
}

/** How much of an image has arrived. */
export interface ImageProgress {
	readonly doneBytes: number;
	readonly totalBytes: number;
}

/** Where the images are. */
export interface ImageFolderFlags {
	/** The data folder of a server. Default: that of `stint server`. */
	readonly dataDir?: string;
	/** The folder of images, if the server has another one than that of its data folder. */
	readonly imageDir?: string;
}
