import type { FileHandle } from 'node:fs/promises';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type LogLine, LogLines } from './log-lines.ts';

const PIECE_BYTES = 64 * 1024;

/**
 * Reads the log at a path from its beginning: first the older parts that rotation has set aside
 * (`<path>.<time>`), then the file itself. Another call goes on where the last one stopped, also across
 * rotations in between. Each line is read once: a part that was read is passed over by its name, as the
 * number of a removed file's inode is soon used again.
 */
export class LogReader {
	readonly #path: string;
	readonly #lines = new LogLines();
	#file: FileHandle | undefined;
	#position = 0;
	/** The name of the last older part that was read to its end. */
	#passed = '';

	constructor(path: string) {
		this.#path = path;
	}

	/** All whole lines that are there by now and were not read before. */
	async *read(): AsyncGenerator<readonly LogLine[]> {
		for (;;) {
			if (!this.#file) {
				// Opened before the older parts are listed: what is set aside meanwhile is among those then.
				this.#file = await openIfThere(this.#path);
				this.#position = 0;
				yield* this.#readOlder();
			}
			yield* this.#readOn();
			if (!(await this.#wasRotated())) return;
			// What was written between the last read and the rotation.
			yield* this.#readOn();
			await this.#passOver();
			await this.close();
		}
	}

	/** Lets go of the file. */
	async close(): Promise<void> {
		const file = this.#file;
		this.#file = undefined;
		await file?.close();
	}

	async *#readOn(): AsyncGenerator<readonly LogLine[]> {
		if (!this.#file) return;
		for await (const piece of piecesOf(this.#file, this.#position)) {
			this.#position += piece.length;
			const lines = this.#lines.push(piece);
			if (lines.length > 0) yield lines;
		}
	}

	/** Reads the parts before the file that is open. */
	async *#readOlder(): AsyncGenerator<readonly LogLine[]> {
		const current = await inodeOf(this.#file);
		for (const name of await this.#olderParts()) {
			const file = await openIfThere(join(dirname(this.#path), name));
			try {
				if (!file) continue;
				if ((await inodeOf(file)) === current) return;
				for await (const piece of piecesOf(file, 0)) yield this.#lines.push(piece);
				this.#passed = name;
			} finally {
				await file?.close();
			}
		}
	}

	/** Another file is at the path. Where there is none, the one that is open is still the last. */
	async #wasRotated(): Promise<boolean> {
		const inode = await inodeAt(this.#path);
		return this.#file !== undefined && inode !== undefined && inode !== (await inodeOf(this.#file));
	}

	/** Remembers under which name the file that is open was set aside. */
	async #passOver(): Promise<void> {
		const own = await inodeOf(this.#file);
		for (const name of await this.#olderParts()) {
			if ((await inodeAt(join(dirname(this.#path), name))) === own) this.#passed = name;
		}
	}

	/** The names of the parts that were not read yet, oldest first. */
	async #olderParts(): Promise<readonly string[]> {
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

/** What is in a file from `position` on, up to its present end. */
async function* piecesOf(file: FileHandle, position: number): AsyncGenerator<Buffer> {
	for (let at = position; ; ) {
		const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, at);
		if (bytesRead === 0) return;
		at += bytesRead;
		yield buffer.subarray(0, bytesRead);
	}
}

async function inodeOf(file: FileHandle | undefined): Promise<number | undefined> {
	return file && (await file.stat()).ino;
}

async function inodeAt(path: string): Promise<number | undefined> {
	try {
		return (await stat(path)).ino;
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
	try {
		return await open(path, 'r');
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
}

function isMissing(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
