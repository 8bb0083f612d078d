import type { FileHandle } from 'node:fs/promises';
import { open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** One file of a log, open for reading. */
export interface LogPart {
	readonly file: FileHandle;
	readonly inode: number;
	/** Which byte of the whole log it begins with; undefined where its name does not tell. */
	readonly startsAt: number | undefined;
	/** False while it is the file that is being written. */
	isComplete: boolean;
	/** How much of it was read. */
	position: number;
}

/** How many parts are held open for a reader that is behind; with the usual 10 MiB a part, 250 MiB. */
const MOST_HELD = 25;

/**
 * The files of the log at a path, in order: the parts that rotation has set aside
 * (`<path>.<first byte>-<time>`), then the file itself. Each is opened as soon as it is seen, so that a
 * reader that is behind still gets parts that rotation has removed meanwhile. Each is listed once: a part
 * is known by its inode while it is open, and passed over by its name afterwards, since the number of a
 * removed file's inode is soon used again.
 */
export class LogParts {
	readonly #path: string;
	/** Opened and not yet dropped, the oldest first. */
	readonly #parts: LogPart[] = [];
	/** The name of the last part that was seen under a name of its own. */
	#passed = '';
	/** Which byte of the log comes after that part. */
	#next: number | undefined = 0;

	constructor(path: string) {
		this.#path = path;
	}

	/** The oldest part that is open. */
	get first(): LogPart | undefined {
		return this.#parts[0];
	}

	/** Opens the parts that have come since the last call. */
	async refresh(): Promise<void> {
		for (;;) {
			// Opened before the parts are listed: if it is set aside meanwhile, it is among those then.
			const current = await openIfThere(this.#path);
			const wasSetAside = await this.#openAside(current?.inode);
			const isKnown = this.#parts.at(-1)?.inode === current?.inode;
			if (!current || wasSetAside || isKnown) await current?.file.close();
			else this.#add({ ...current, startsAt: this.#next, isComplete: false });
			if (!wasSetAside) break;
		}
		while (this.#parts.length > MOST_HELD) await this.drop();
	}

	/** Closes the oldest part, which was read to its end or is given up. */
	async drop(): Promise<void> {
		await this.#parts.shift()?.file.close();
	}

	/** Closes all. */
	async close(): Promise<void> {
		while (this.#parts.length > 0) await this.drop();
	}

	/** Opens what was set aside; resolves to whether the file `current` is among it. */
	async #openAside(current: number | undefined): Promise<boolean> {
		let found = false;
		for (const name of await this.#newNames()) {
			const part = await openIfThere(join(dirname(this.#path), name));
			if (!part) continue;
			const startsAt = firstByteOf(name);
			this.#passed = name;
			this.#next = startsAt === undefined ? undefined : startsAt + (await part.file.stat()).size;
			found ||= part.inode === current;
			const last = this.#parts.at(-1);
			if (last?.inode !== part.inode) this.#add({ ...part, startsAt, isComplete: true });
			else {
				last.isComplete = true;
				await part.file.close();
			}
		}
		return found;
	}

	#add(part: Omit<LogPart, 'position'>): void {
		const last = this.#parts.at(-1);
		if (last) last.isComplete = true;
		this.#parts.push({ ...part, position: 0 });
	}

	/** The names of the parts that were not seen yet, the oldest first. */
	async #newNames(): Promise<readonly string[]> {
		const prefix = `${basename(this.#path)}.`;
		try {
			const names = await readdir(dirname(this.#path));
			return names.filter((name) => name.startsWith(prefix) && name > this.#passed).sort();
		} catch (error) {
			if (isMissing(error)) return [];
			throw error;
		}
	}
}

function firstByteOf(name: string): number | undefined {
	const [, offset] = /\.(\d{15})-[^.]*\.\d+Z$/.exec(name) ?? [];
	return offset === undefined ? undefined : Number(offset);
}

async function openIfThere(
	path: string,
): Promise<{ readonly file: FileHandle; readonly inode: number } | undefined> {
	try {
		const file = await open(path, 'r');
		return { file, inode: (await file.stat()).ino };
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
}

function isMissing(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
