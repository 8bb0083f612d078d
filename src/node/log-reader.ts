import type { FileHandle } from 'node:fs/promises';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type LogLine, LogLines } from './log-lines.ts';

const PIECE_BYTES = 64 * 1024;

/**
 * Reads the log at a path from its beginning: first the older parts that rotation has set aside
 * (`<path>.<time>`), then the file itself. Another call goes on where the last one stopped, also across
 * a rotation in between.
 */
export class LogReader {
	readonly #path: string;
	#lines = new LogLines();
	#file: FileHandle | undefined;
	#inode = 0;
	#position = 0;

	constructor(path: string) {
		this.#path = path;
	}

	/** All whole lines that are there by now and were not read before. */
	async *read(): AsyncGenerator<readonly LogLine[]> {
		if (!this.#file) {
			for (const older of await this.#olderParts()) yield* this.#readFile(older);
			if (!(await this.#open())) return;
		}
		for (;;) {
			yield* this.#readOn();
			if (!(await this.#wasRotated())) return;
			await this.close();
			if (!(await this.#open())) return;
		}
	}

	/** Lets go of the file. */
	async close(): Promise<void> {
		const file = this.#file;
		this.#file = undefined;
		await file?.close();
	}

	async #open(): Promise<boolean> {
		try {
			this.#file = await open(this.#path, 'r');
		} catch (error) {
			if (isMissing(error)) return false;
			throw error;
		}
		this.#inode = (await this.#file.stat()).ino;
		this.#position = 0;
		return true;
	}

	async #wasRotated(): Promise<boolean> {
		try {
			return (await stat(this.#path)).ino !== this.#inode;
		} catch (error) {
			if (isMissing(error)) return false;
			throw error;
		}
	}

	async *#readOn(): AsyncGenerator<readonly LogLine[]> {
		const buffer = Buffer.alloc(PIECE_BYTES);
		for (;;) {
			if (!this.#file) return;
			const { bytesRead } = await this.#file.read(buffer, 0, PIECE_BYTES, this.#position);
			if (bytesRead === 0) return;
			this.#position += bytesRead;
			const lines = this.#lines.push(Buffer.from(buffer.subarray(0, bytesRead)));
			if (lines.length > 0) yield lines;
		}
	}

	async *#readFile(path: string): AsyncGenerator<readonly LogLine[]> {
		let file: FileHandle;
		try {
			file = await open(path, 'r');
		} catch (error) {
			if (isMissing(error)) return;
			throw error;
		}
		try {
			for await (const piece of file.createReadStream({ autoClose: false })) yield this.#lines.push(piece);
		} finally {
			await file.close();
		}
	}

	async #olderParts(): Promise<readonly string[]> {
		const folder = dirname(this.#path);
		const prefix = `${basename(this.#path)}.`;
		try {
			const names = await readdir(folder);
			return names
				.filter((name) => name.startsWith(prefix))
				.sort()
				.map((name) => join(folder, name));
		} catch (error) {
			if (isMissing(error)) return [];
			throw error;
		}
	}
}

function isMissing(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
