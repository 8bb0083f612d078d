/**
 * Which program of this machine stands behind the name of an image. An image means nothing to a host
 * process, so what a container without `command` runs is looked up here. Users extend the table by a
 * file, `images.yaml`:
 *
 *     images:
 *       ghcr.io/acme/report:              # any tag; "…/report:1.2" means that tag only, * any characters
 *         command: [python3, /srv/report.py]
 *         args: [--all]                   # where the Pod gives none
 *         entrypoints: [/app/report]      # a Pod's command that means this program too
 *         env: {LANG: C.UTF-8}
 *         workingDir: /srv
 *
 * or, shorter, `ghcr.io/acme/report: [python3, /srv/report.py]`. The first entry that fits counts; the
 * file comes before what is built in. It is read again when it has changed. An entry that is wrong is refused
 * when its image is asked for, and concerns no other one.
 */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemReason } from '../../../base/folders.ts';
import { ImageError } from '../runtime.ts';
import type { ImageEntry, WrongEntry } from './image-entry.ts';
import { parseImageName, withRegistry } from './image-name.ts';

interface Row {
	readonly entry: ImageEntry | WrongEntry;
	/** Fits the repository, with or without the tag. */
	readonly pattern: RegExp;
}

/** The table. */
export class ImageTable {
	readonly #path: string;
	readonly #builtIn: readonly Row[];
	#fromFile: readonly Row[] = [];
	#readAt: number | undefined;

	/** `path` is where the user's file is or would be. */
	constructor(path: string, builtIn: readonly ImageEntry[] = builtInImages()) {
		this.#path = path;
		this.#builtIn = builtIn.map(rowOf);
	}

	/** The entry for `image`, if there is one. Rejects with {@link ImageError} for a name or file that is wrong. */
	async find(image: string): Promise<ImageEntry | undefined> {
		const name = parseImageName(image);
		if (!name) {
			const why = `couldn't parse image name "${image}": invalid reference format`;
			throw new ImageError('InvalidImageName', `Failed to apply default image tag "${image}": ${why}`);
		}
		await this.#refresh();
		const tagged = `${name.repository}:${name.tag ?? 'latest'}`;
		const fits = ({ pattern }: Row): boolean => pattern.test(name.repository) || pattern.test(tagged);
		const entry = (this.#fromFile.find(fits) ?? this.#builtIn.find(fits))?.entry;
		if (entry && 'problem' in entry) throw new ImageError('ErrImagePull', entry.problem);
		return entry;
	}

	/** What to tell the user whose Pod has neither a `command` nor an image that is in the table. */
	missing(image: string): ImageError {
		return new ImageError(
			'ErrImagePull',
			`image "${image}" stands for no program of this machine: give the container a "command" to run, ` +
				`or say in ${this.#path} which program the image means`,
		);
	}

	/** One look at a local file for each container costs less when nothing waits for it. */
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

/** The most that is read of the file. */
const LARGEST_FILE_BYTES = 1 << 20;

/** The file may be a link that the user has made, but nothing without an end. */
function readImageFile(path: string): string {
	const found = statSync(path);
	if (!found.isFile()) throw new Error(`${path}: it is no regular file`);
	if (found.size > LARGEST_FILE_BYTES)
		throw new Error(`${path}: it is larger than ${LARGEST_FILE_BYTES} bytes`);
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new Error(`${path}: it cannot be read: ${systemReason(error)}`);
	}
}

/** The images that need no file: the demo program that many Job tutorials run. */
export function builtInImages(): readonly ImageEntry[] {
	// In the bundle all programs lie in one folder.
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

function rowOf(entry: ImageEntry | WrongEntry): Row {
	const parts = withRegistry(entry.image).join('/').split('*');
	const escaped = parts.map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
	return { entry, pattern: new RegExp(`^${escaped.join('.*')}$`) };
}
