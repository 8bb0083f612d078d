import type { WatchEvent } from '../../api/contract/transport.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { tableOf } from '../../api/meta/table.ts';
import { isList, isRecord } from '../../base/json/json.ts';
import { followWatch } from '../../client/follow-watch.ts';
import { listAt, objectAt, textAt } from '../../client/raw-object.ts';
import { prefixOf } from '../args/resource-args.ts';
import { type CliContext, CommandError, type Connection } from '../context.ts';
import { toCompactJson } from '../print/json.ts';
import type { OutputForm } from '../print/output-form.ts';
import { TablePrinter } from '../print/table.ts';
import { printValue, withoutManagedFields } from './objects.ts';
import { type GetFlags, type GetQuery, TABLE } from './query.ts';

/** The queries of a watch, and how to print its events. */
export interface WatchOptions {
	readonly queries: readonly GetQuery[];
	readonly form: OutputForm;
	readonly flags: GetFlags;
}

/**
 * Prints the listed objects, then every change. Never resolves; rejects if the server can no longer be
 * reached.
 */
export async function watchObjects(
	context: CliContext,
	connection: Connection,
	{ queries, form, flags }: WatchOptions,
): Promise<never> {
	const [query, ...others] = queries;
	if (!query || others.length > 0)
		throw new CommandError('you may only specify a single resource type, or a single object, to watch');
	const printer = new EventPrinter(context, query, { form, flags });
	const { path, query: parameters } = listQuery(query);
	// Only tables are made by the server; the other formats need whole objects.
	const accept = form.type === 'table' ? { accept: TABLE } : {};
	// Requests are sent to the transport and not through an Informer, since a Table has no objects to cache.
	const { transport } = connection.client;
	const first = await transport.request({ method: 'GET', path, query: parameters, ...accept });
	if (!flags.watchOnly) printer.printList(first.object);
	let resourceVersion = textAt(objectAt({ ...first }, 'object').metadata, 'resourceVersion') ?? '';
	// The server ends a watch after a time-out. The next one starts at the last resourceVersion that this one saw.
	for (;;) {
		const next = { ...parameters, watch: 'true', allowWatchBookmarks: 'true', resourceVersion };
		await followWatch({
			open: (sink, signal) => transport.watch({ method: 'GET', path, query: next, ...accept, signal }, sink),
			events: (batch) => {
				for (const event of batch) resourceVersion = printer.print(event) ?? resourceVersion;
				return false;
			},
		});
	}
}

/** The API watches collections only, so a named object is watched with a field selector. */
function listQuery({ path, query, target }: GetQuery): { path: string; query: Record<string, string> } {
	if (target.name === undefined) return { path, query };
	const collection = path.slice(0, path.lastIndexOf('/'));
	return { path: collection, query: { ...query, fieldSelector: `metadata.name=${target.name}` } };
}

/** Prints the events of one watch in the format of the flags. It remembers the columns of the first table. */
class EventPrinter {
	readonly #context: CliContext;
	readonly #query: GetQuery;
	readonly #form: OutputForm;
	readonly #flags: GetFlags;
	readonly #table: TablePrinter;

	/** The printer is kept for the whole watch: it prints the header once, and columns stay as wide as they were. */
	constructor(context: CliContext, query: GetQuery, { form, flags }: Pick<WatchOptions, 'form' | 'flags'>) {
		this.#context = context;
		this.#query = query;
		this.#form = form;
		this.#flags = flags;
		this.#table = new TablePrinter({
			wide: form.type === 'table' && form.wide,
			headers: flags.headers,
			withNamespace: flags.allNamespaces ?? false,
			prefix: '',
			showLabels: flags.showLabels ?? false,
			labelColumns: flags.labelColumns,
		});
	}

	/** Prints the result of the first list. */
	printList(list: unknown): void {
		if (this.#form.type === 'table') {
			this.#context.stdout.print(this.#table.print(this.#withEvents(list, 'ADDED')));
			return;
		}
		for (const item of listAt(list, 'items')) this.#printObject(item, 'ADDED');
	}

	/** Prints an event. Returns the resourceVersion from which the next watch can start, if the event has one. */
	print({ type, object }: WatchEvent<KubeObject>): string | undefined {
		if (type === 'BOOKMARK') return versionOf(object);
		if (this.#form.type !== 'table') {
			this.#printObject(object, type);
			return versionOf(object);
		}
		const table = object.kind === 'Table' ? object : this.#tableOf(object);
		this.#context.stdout.print(this.#table.print(this.#withEvents(table, type)));
		return versionOf(object);
	}

	/**
	 * Makes the Table for an event with a plain object: a transport within the server's process sends no Tables.
	 */
	#tableOf(object: KubeObject): unknown {
		const now = this.#context.clock.now();
		return tableOf(this.#query.target.definition, [object], {
			version: 'v1',
			metadata: {},
			includeObject: 'Metadata',
			now,
		});
	}

	/** Adds the column EVENT of --output-watch-events; padded, since each event is a table of one row. */
	#withEvents(table: unknown, type: string): unknown {
		if (!this.#flags.outputWatchEvents || !isRecord(table)) return table;
		const { columnDefinitions } = table;
		return {
			columnDefinitions: isList(columnDefinitions) ? [{ name: 'Event' }, ...columnDefinitions] : null,
			rows: listAt(table, 'rows').map((row) => ({
				...(isRecord(row) && row),
				cells: [type.padEnd(8), ...listAt(row, 'cells')],
			})),
		};
	}

	/** Prints an object in a format other than a table. Only JSON has the event's type, as in kubectl. */
	#printObject(value: unknown, type: string): void {
		if (!isRecord(value)) return;
		const object = this.#flags.showManagedFields ? value : withoutManagedFields(value);
		if (this.#form.type === 'name') {
			this.#context.stdout.print(
				`${prefixOf(this.#query.target.definition)}${textAt(object.metadata, 'name')}\n`,
			);
		} else if (this.#flags.outputWatchEvents && this.#form.type === 'json') {
			this.#context.stdout.write(`{"type":"${type}","object":${toCompactJson(object)}}\n`);
		} else {
			this.#context.stdout.write(
				`${this.#form.type === 'yaml' ? '---\n' : ''}${printValue(object, this.#form)}`,
			);
		}
	}
}

/** The resourceVersion of an object, or of the object in the last row of a Table. */
function versionOf(object: KubeObject): string | undefined {
	const last = listAt(object, 'rows').at(-1);
	return textAt(last === undefined ? object.metadata : objectAt(last, 'object').metadata, 'resourceVersion');
}
