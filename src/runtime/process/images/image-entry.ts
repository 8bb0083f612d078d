/** An entry of the image table: the program that runs for an image. */
export interface ImageEntry {
	/** Pattern for the image: the repository, with a tag to match only that tag; `*` matches any characters. */
	readonly image: string;
	/** Program and first arguments. */
	readonly command: readonly string[];
	/** Further arguments, used if the Pod has no `args`. */
	readonly args: readonly string[];
	/** Paths inside the image that stand for this program when a Pod's `command` starts with one. */
	readonly entrypoints: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	/** Empty: the sandbox's own folder. */
	readonly workingDir: string;
}

/** An invalid entry of the file; `problem` names the file, line, column and field. */
export interface WrongEntry {
	readonly image: string;
	readonly problem: string;
}
