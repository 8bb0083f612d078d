/** A program that stands behind an image. */
export interface ImageEntry {
	/** The image's name: the repository, with a tag if only that one is meant; `*` stands for anything. */
	readonly image: string;
	/** Program and first arguments. */
	readonly command: readonly string[];
	/** Further arguments, where the Pod gives none. */
	readonly args: readonly string[];
	/** Commands within the image that mean this program. */
	readonly entrypoints: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	/** Empty: the sandbox's own folder. */
	readonly workingDir: string;
}

/** An entry of the file that cannot be used, and why, with the file, line and field. */
export interface WrongEntry {
	readonly image: string;
	readonly problem: string;
}
