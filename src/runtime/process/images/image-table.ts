/**
 * The image table: which program of this machine runs for an image. Host processes have no images, so the program
 * of a container without `command` is looked up here. Users extend the table by a file, `images.yaml`:
 *
 *     images:
 *       ghcr.io/acme/report:              # any tag; "…/report:1.2" means that tag only, * any characters
 *         command: [python3, /srv/report.py]
 *         args: [--all]                   # where the Pod gives none
 *         entrypoints: [/app/report]      # a Pod's command that means this program too
 *         env: {LANG: C.UTF-8}
 *         workingDir: /srv
 *
 * or, shorter, `ghcr.io/acme/report: [python3, /srv/report.py]`. The first matching entry applies; entries of the file
 * precede the built-in ones. The file is read again when it has changed. An invalid entry is an error only for Pods
 * that use its image.
 */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MISSING_PROGRAM } from '../../../api/contract/missing-program.ts';
import { systemReason } from '../../../base/files/folders.ts';
import { parseImageReference, repositoryText, splitDomain } from '../../../image/names/image-reference.ts';
import { ImageError } from '../../contract.ts';
import { imageNameOf } from '../../image-names.ts';
import type { ImageEntry, WrongEntry } from './image-entry.ts';

interface Row {
	readonly entry: ImageEntry | WrongEntry;
	/** Matches the repository, or the repository with the tag. */
	readonly pattern: RegExp;
}

/** Looks up images; reads `images.yaml` when it has changed. */
export class ImageTable {
	readonly #path: string;
	readonly #builtIn: readonly Row[];
	#fromFile: readonly Row[] = [];
	#readAt: number | undefined;

	/** `path` is the path of the user's file, which need not exist. */
	constructor(path: string, builtIn: readonly ImageEntry[] = builtInImages()) {
		this.#path = path;
		this.#builtIn = builtIn.map(rowOf);
	}

	/** The entry for `image`, if any. Rejects with {@link ImageError} for a malformed name or an invalid file or entry. */
	async find(image: string): Promise<ImageEntry | undefined> {
		const reference = imageNameOf(image, parseImageReference);
		await this.#refresh();
		const repository = repositoryText(reference);
		const tagged = `${repository}:${reference.tag ?? 'latest'}`;
		const fits = ({ pattern }: Row): boolean => pattern.test(repository) || pattern.test(tagged);
		const entry = (this.#fromFile.find(fits) ?? this.#builtIn.find(fits))?.entry;
		if (entry && 'problem' in entry) throw new ImageError('ErrImagePull', entry.problem);
		return entry;
	}

	/** The error for a container that has neither a `command` nor an entry in the table. */
	missing(image: string): ImageError {
		return new ImageError(
			'ErrImagePull',
			`${MISSING_PROGRAM} "${image}": set "command" in the container, add an entry for the image to ` +
				`${this.#path}, or start the server with --runtime sandbox, which runs images`,
		);
	}

	/** Reads the file if its modification time has changed. A synchronous stat is cheaper than an asynchronous one. */
	async #refresh(): Promise<void> {
		const changedAt = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs;
		if (changedAt === this.#readAt) return;
		this.#fromFile = changedAt === undefined ? [] : await this.#read();
		this.#readAt = changedAt;
	}

	async #read(): Promise<readonly Row[]> {
		const { parseImageFile } = await import('./image-file.ts');
		try {
			return parseImageFile({ path: this.#path, text: readImageFile(this.#path) }).map(rowOf);
		} catch (error) {
			throw new ImageError('ErrImagePull', error instanceof Error ? error.message : String(error));
		}
	}
}

/** Limit on the size of `images.yaml`. */
const LARGEST_FILE_BYTES = 1 << 20;

/** Reads the file. Follows symbolic links of the user, but refuses devices and pipes, which have no end. */
function readImageFile(path: string): string {
	const found = statSync(path);
	if (!found.isFile()) throw new Error(`${path}: must be a regular file`);
	if (found.size > LARGEST_FILE_BYTES)
		throw new Error(`${path}: must not be larger than ${LARGEST_FILE_BYTES} bytes`);
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new Error(`${path}: cannot be read: ${systemReason(error)}`);
	}
}

/** The entries that need no file: kuard, the demo program of many Job tutorials. */
export function builtInImages(): readonly ImageEntry[] {
	// In the bundle, all programs are in one folder.
	const isSource = extname(import.meta.url) === '.ts';
	const kuard = new URL(isSource ? '../../../../examples/kuard/kuard.ts' : './kuard.cjs', import.meta.url);
	return ['amd64', 'arm64'].map((architecture) => ({
		image: `gcr.io/kuar-demo/kuard-${architecture}`,
		command: [process.execPath, '--disable-warning=ExperimentalWarning', fileURLToPath(kuard)],
		args: [],
		entrypoints: ['/kuard'],
		env: {},
		workingDir: '',
	}));
}

/** Translates the pattern of an entry; an image without registry gets Docker Hub's, as `find` does for the Pod's. */
function rowOf(entry: ImageEntry | WrongEntry): Row {
	const parts = splitDomain(entry.image).join('/').split('*');
	const escaped = parts.map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
	return { entry, pattern: new RegExp(`^${escaped.join('.*')}$`) };
}

/** The reference of an image that is a name for a program of this machine: there is no digest. */
export function imageRefOf(image: string): string {
	return `process://${image}`;
}
