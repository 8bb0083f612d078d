/** A file or folder of this machine. */
export interface LocalFile {
	readonly type: 'file' | 'folder' | 'other';
	/** The permissions. */
	readonly mode: number;
	readonly size: number;
	/** Seconds since the epoch. */
	readonly modified: number;
}

/** The files of this machine, for `cp` and `create`. */
export interface LocalFiles {
	/** What is at a path, links followed; undefined if there is nothing. */
	stat(path: string): Promise<LocalFile | undefined>;
	/** The names in a folder, sorted. */
	list(folder: string): Promise<readonly string[]>;
	/** The names of the regular files in a folder, links not followed, sorted. */
	regularFiles(folder: string): Promise<readonly string[]>;
	/** The content of a file. */
	read(path: string): AsyncIterable<Uint8Array>;
	/** Creates a folder, and its parents. Rejects with an {@link OutsideError} if links lead it out of `root`. */
	createFolder(root: string, path: string): Promise<void>;
	/**
	 * Writes a file, in a folder that exists below `root`. Rejects with an {@link OutsideError} if links lead it out of
	 * `root`: it never writes through a link.
	 */
	write(
		root: string,
		path: string,
		file: { readonly mode: number; readonly content: AsyncIterable<Uint8Array> },
	): Promise<void>;
}

/** A path is not below the folder that it should be below. */
export class OutsideError extends Error {
	override readonly name = 'OutsideError';
}
