/**
 * The images that this server has pulled into the runtime, in a file of its runtime folder. The node agent removes only those:
 * the others are of other users of the runtime.
 */

import { attempt } from '../../../base/attempt.ts';
import type { Clock } from '../../../base/clock.ts';
import { readPrivateFile, writePrivateFile } from '../../../base/files/private-files.ts';
import { isRecord } from '../../../base/json/json.ts';
import { numberAt } from '../../json-values.ts';

/** When an image was pulled for the first time, and last used, in ms since the epoch. */
export interface PulledNote {
	readonly addedAt: number;
	readonly lastUsedAt: number;
}

/** How old the noted use of an image may be: the file is not written for each container. */
const USE_MS = 30_000;

/** See the header of this file. */
export class PulledImages {
	readonly #path: string;
	readonly #clock: Clock;
	readonly #records = new Map<string, PulledNote>();

	constructor(path: string, clock: Clock) {
		this.#path = path;
		this.#clock = clock;
	}

	/** Reads the file of an earlier server. */
	load(): void {
		const text = readPrivateFile(this.#path);
		const value: unknown = text === undefined ? undefined : attempt(() => JSON.parse(text));
		for (const [id, record] of Object.entries(isRecord(value) ? value : {}))
			this.#records.set(id, {
				addedAt: numberAt(record, 'addedAt'),
				lastUsedAt: numberAt(record, 'lastUsedAt'),
			});
	}

	/** The record of an image; undefined if another user of the runtime has pulled it. */
	get(id: string): PulledNote | undefined {
		return this.#records.get(id);
	}

	/** Notes that this server has pulled an image that was not there. */
	add(id: string): void {
		const now = this.#clock.now();
		this.#records.set(id, { addedAt: this.#records.get(id)?.addedAt ?? now, lastUsedAt: now });
		this.#write();
	}

	/** Notes that a container was made from an image, if it is one of this server. */
	use(id: string): void {
		const record = this.#records.get(id);
		const now = this.#clock.now();
		if (!record || now - record.lastUsedAt < USE_MS) return;
		this.#records.set(id, { ...record, lastUsedAt: now });
		this.#write();
	}

	/** Forgets images that have been removed. */
	keep(ids: ReadonlySet<string>): void {
		const gone = [...this.#records.keys()].filter((id) => !ids.has(id));
		if (gone.length === 0) return;
		for (const id of gone) this.#records.delete(id);
		this.#write();
	}

	#write(): void {
		writePrivateFile(this.#path, `${JSON.stringify(Object.fromEntries(this.#records))}\n`);
	}
}
