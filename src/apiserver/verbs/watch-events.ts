/**
 * The encoding stage of watches: makes objects (for callers in this process) or lines of an HTTP body from
 * notices.
 */

import type { WatchEvent } from '../../api/contract/transport.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { partialMetadata, tableHead } from '../../api/meta/table.ts';
import type { Format } from '../http/negotiate.ts';
import type { SharedLines } from '../http/shared-lines.ts';
import { rowBytes } from '../respond.ts';
import type { Bookmark, Notice, ObjectNotice } from '../storage/notices.ts';
import type { ResourceCodec } from '../storage/stored-object.ts';

/** The event for a caller in this process. */
export function watchEvent(codec: ResourceCodec, notice: Notice): WatchEvent {
	if (notice.type === 'BOOKMARK') return { type: 'BOOKMARK', object: bookmarkObject(codec, notice) };
	return { type: notice.type, object: notice.stored.object };
}

/** Encodes the lines of one watch. */
export class WatchLines {
	readonly #codec: ResourceCodec;
	readonly #format: Format;
	readonly #shared: SharedLines;
	/** Whether the next line is the first of the watch, the only one whose Table has column definitions. */
	#first = true;

	constructor(codec: ResourceCodec, format: Format, shared: SharedLines) {
		this.#codec = codec;
		this.#format = format;
		this.#shared = shared;
	}

	/** The event as a line of JSON. `now` (ms since the epoch) is the time from which Tables compute ages. */
	line(notice: Notice, now: number): Uint8Array {
		const first = this.#first;
		this.#first = false;
		if (notice.type === 'BOOKMARK') return this.#bookmark(notice, first);
		const format = this.#format;
		switch (format.as) {
			case 'plain':
				return this.#shared.get(notice.stored, notice.type, () => notice.stored.eventBytes(notice.type));
			case 'metadata':
				return this.#shared.get(notice.stored, `${notice.type} ${format.version}`, () =>
					lineOf(notice.type, partialMetadata(notice.stored.object, format.version)),
				);
			case 'table':
				return this.#table(notice, { format, now, first });
		}
	}

	#table(notice: ObjectNotice, options: TableLineOptions): Uint8Array {
		const { format, now, first } = options;
		// Tables show ages in whole seconds, so watches share a line for a second.
		const variant = `${notice.type} ${format.version} ${format.includeObject} ${first} ${Math.floor(now / 1000)}`;
		return this.#shared.get(notice.stored, variant, () => tableLine(this.#codec, notice, options));
	}

	#bookmark(bookmark: Bookmark, first: boolean): Uint8Array {
		const object = bookmarkObject(this.#codec, bookmark);
		const format = this.#format;
		if (format.as === 'plain') return lineOf('BOOKMARK', object);
		if (format.as === 'metadata') return lineOf('BOOKMARK', partialMetadata(object, format.version));
		// A bookmark has no object, so the Table has no rows: only the revision that the watch has reached.
		const { definition } = this.#codec;
		const { version } = format;
		const metadata = { resourceVersion: String(bookmark.revision) };
		const head = tableHead(definition, { version, metadata, headless: !first });
		return lineOf('BOOKMARK', { ...head, rows: [] });
	}
}

/** The line of an ERROR event: `status` is a metav1.Status. */
export function errorLine(status: unknown): Uint8Array {
	return lineOf('ERROR', status);
}

interface TableLineOptions {
	readonly format: Extract<Format, { readonly as: 'table' }>;
	readonly now: number;
	readonly first: boolean;
}

/** A Table with one row, composed from bytes, so that the object in the row is not encoded again. */
function tableLine(
	{ definition }: ResourceCodec,
	{ type, stored }: ObjectNotice,
	{ format, now, first }: TableLineOptions,
): Uint8Array {
	const { version, includeObject } = format;
	const metadata = { resourceVersion: String(stored.revision) };
	const head = JSON.stringify(tableHead(definition, { version, metadata, headless: !first }));
	const opening = `{"type":"${type}","object":${head.slice(0, -1)},"rows":[`;
	return Buffer.concat([
		Buffer.from(opening),
		...rowBytes(stored, { version, includeObject, now }),
		TABLE_END,
	]);
}

const TABLE_END = Buffer.from(']}}\n');

function lineOf(type: string, object: unknown): Uint8Array {
	return Buffer.from(`${JSON.stringify({ type, object })}\n`);
}

/**
 * An object of the watched kind with only a resourceVersion. The annotation marks the end of the initial
 * events.
 */
function bookmarkObject({ definition, apiVersion }: ResourceCodec, bookmark: Bookmark): KubeObject {
	const { revision, initialEventsEnd } = bookmark;
	return {
		kind: definition.kind,
		apiVersion,
		metadata: {
			resourceVersion: String(revision),
			...(initialEventsEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
		},
	};
}
