/** Who alone may read a file: a user, which owns it, or a group. Numbers as containers have them. */
export interface FileReaders {
	readonly user?: number;
	readonly group?: number;
}
