import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { pathOf } from '../../client/client.ts';
import type { Connection } from '../context.ts';

/** The part of a container's log to read. The names are the query parameters of `pods/log`. */
export interface LogOptions {
	readonly follow?: boolean;
	readonly previous?: boolean;
	readonly timestamps?: boolean;
	readonly tailLines?: number;
	readonly sinceSeconds?: number;
	readonly sinceTime?: string;
	readonly limitBytes?: number;
	readonly signal?: AbortSignal;
}

/**
 * Reads a container's log. Yields the complete lines of each received chunk, and at the end a last line that
 * has no newline. Rejects with the server's ApiError.
 */
export async function* logLines(
	{ client }: Connection,
	{ metadata }: Pick<Pod, 'metadata'>,
	options: LogOptions & { readonly container: string },
): AsyncGenerator<readonly string[]> {
	const { signal, ...parameters } = options;
	const query = Object.fromEntries(
		Object.entries(parameters)
			.filter(([, value]) => value !== undefined && value !== false)
			.map(([name, value]) => [name, String(value)]),
	);
	const path = `${pathOf(pods, metadata.namespace)}/${metadata.name}/log`;
	const bytes = await client.transport.stream({ method: 'GET', path, query, ...(signal && { signal }) });
	// One decoder for the whole log: a character of several bytes may be split between two chunks.
	const decoder = new TextDecoder();
	let unfinished = '';
	for await (const piece of bytes) {
		const lines = (unfinished + decoder.decode(piece, { stream: true })).split('\n');
		unfinished = lines.pop() ?? '';
		if (lines.length > 0) yield lines;
	}
	if (unfinished !== '') yield [unfinished];
}
