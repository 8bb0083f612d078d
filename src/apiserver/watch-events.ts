import type { KubeObject } from '../api/meta/object-meta.ts';
import { partialMetadata, tableOf } from '../api/meta/table.ts';
import type { WatchEvent } from '../api/meta/transport.ts';
import type { Format } from './negotiate.ts';
import type { ResourceCodec } from './stored-object.ts';
import type { Bookmark, Notice } from './watch.ts';

/** The encode stage of watches: notices as objects, or as the lines of an HTTP body. */

/** The event as a caller in this process gets it. */
export function watchEvent(codec: ResourceCodec, notice: Notice): WatchEvent {
	if (notice.type === 'BOOKMARK') return { type: 'BOOKMARK', object: bookmarkObject(codec, notice) };
	return { type: notice.type, object: notice.stored.object };
}

/** What the lines of a watch depend on. */
export interface LineOptions {
	readonly codec: ResourceCodec;
	readonly format: Format;
	/** For the ages in Tables, in milliseconds. */
	readonly now: number;
	/** Whether it is the first of its watch: the only one whose Table has column definitions. */
	readonly first: boolean;
}

/** The event as a line of JSON. */
export function watchLine(notice: Notice, options: LineOptions): Uint8Array {
	const { codec, format } = options;
	if (format.as === 'plain' && notice.type !== 'BOOKMARK') return plainLine(notice.type, notice.stored.bytes);
	const object = notice.type === 'BOOKMARK' ? bookmarkObject(codec, notice) : notice.stored.object;
	return Buffer.from(`${JSON.stringify({ type: notice.type, object: shown(object, options) })}\n`);
}

/** The line that tells of an error: a metav1.Status. */
export function errorLine(status: unknown): Uint8Array {
	return Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
}

const LINE_END = Buffer.from('}\n');

function plainLine(type: string, object: Uint8Array): Uint8Array {
	return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, LINE_END]);
}

function shown(object: KubeObject, { codec, format, now, first }: LineOptions): unknown {
	if (format.as === 'metadata') return partialMetadata(object);
	if (format.as === 'plain') return object;
	const { resourceVersion = '' } = object.metadata;
	const { includeObject } = format;
	return tableOf(codec.definition, [object], {
		metadata: { resourceVersion },
		includeObject,
		now,
		headless: !first,
	});
}

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
