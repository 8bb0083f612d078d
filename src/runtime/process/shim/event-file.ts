import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../base/files/system-error.ts';
import { EVENTS_PREFIX } from '../launcher/launcher-files.ts';
import { decodeEvent, type ShimEvent } from './shim-event.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** The names of the files of events in the launcher's folder: each server of the shim has one of its own. */
const NAME = new RegExp(`^${EVENTS_PREFIX}(\\d{1,15})$`);

/** The name of the file with this number. */
export function eventFileName(number: number): string {
	return `${EVENTS_PREFIX}${number}`;
}

/** The numbers of the files of events in `folder`, in ascending order. */
export function eventFilesIn(folder: string): readonly number[] {
	return readdirSync(folder)
		.flatMap((name) => NAME.exec(name)?.[1] ?? [])
		.map(Number)
		.sort((a, b) => a - b);
}

/** Reads the events of one file, from the start, and then what was appended since the last call. */
export class EventFile {
	readonly #path: string;
	#fd: number | undefined;
	#at = 0;
	/** The bytes of a line that was not complete at the last read. */
	#rest = '';

	constructor(folder: string, number: number) {
		this.#path = join(folder, eventFileName(number));
	}

	/** Size in bytes of what was read. */
	get size(): number {
		return this.#at;
	}

	/** The events since the last call; none while the file does not exist. Throws the system error otherwise. */
	read(): readonly ShimEvent[] {
		this.#fd ??= openIfPresent(this.#path);
		if (this.#fd === undefined) return [];
		const lines = `${this.#rest}${this.#readOn(this.#fd)}`.split('\n');
		this.#rest = lines.pop() ?? '';
		return lines.flatMap((line) => decodeEvent(line) ?? []);
	}

	/** Closes the file, and removes it with `removes`. */
	close(removes: boolean): void {
		if (this.#fd !== undefined) closeSync(this.#fd);
		this.#fd = undefined;
		if (removes) rmSync(this.#path, { force: true });
	}

	#readOn(fd: number): string {
		let text = '';
		for (;;) {
			const length = readSync(fd, buffer, 0, buffer.length, this.#at);
			if (length === 0) return text;
			this.#at += length;
			text += buffer.toString('latin1', 0, length);
		}
	}
}

const buffer = Buffer.allocUnsafeSlow(16 * 1024);

function openIfPresent(path: string): number | undefined {
	try {
		const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
		if (fstatSync(fd).isFile()) return fd;
		closeSync(fd);
	} catch (error) {
		if (!['ENOENT', 'ELOOP'].includes(codeOf(error))) throw error;
	}
	return undefined;
}
