import type { KubeObject } from '../api/meta/object-meta.ts';
import type { WatchEvent } from '../api/meta/transport.ts';
import { pathOf } from '../client/client.ts';
import { isRawObject, listAt, objectAt, type RawObject, textAt } from '../client/raw-object.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from './context.ts';
import { tableText } from './print/table.ts';
import { toYaml } from './print/yaml.ts';
import { displayName, parseTargets, type Target } from './targets.ts';

/** The flags of `get`. */
export interface GetFlags extends CommonFlags {
	readonly output?: string;
	readonly watch?: boolean;
	readonly allNamespaces?: boolean;
	readonly selector?: string;
	readonly fieldSelector?: string;
	/** False with --no-headers. */
	readonly headers: boolean;
}

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const OUTPUTS = ['wide', 'yaml', 'json', 'name'];

/** `stint get`: prints objects, as a table unless another form is asked for. */
export async function get(context: CliContext, words: readonly string[], flags: GetFlags): Promise<void> {
	if (flags.output !== undefined && !OUTPUTS.includes(flags.output)) {
		throw new CommandError(
			`unable to match a printer suitable for the output format "${flags.output}", allowed formats are: ${OUTPUTS.join(',')} (kubectl has more)`,
		);
	}
	const targets = parseTargets(words);
	const connection = await context.connect(flags.kubeconfig);
	if (flags.watch) return watch(context, connection, targets, flags);
	if (flags.output === undefined || flags.output === 'wide')
		return printTables(context, connection, targets, flags);
	return printObjects(context, connection, targets, flags);
}

function request(
	{ definition, name }: Target,
	connection: Connection,
	flags: GetFlags,
): { path: string; query: Record<string, string> } {
	const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? connection.namespace);
	const path = pathOf(definition, namespace);
	const query = {
		...(flags.selector && { labelSelector: flags.selector }),
		...(flags.fieldSelector && { fieldSelector: flags.fieldSelector }),
	};
	return name === undefined ? { path, query } : { path: `${path}/${encodeURIComponent(name)}`, query: {} };
}

async function printTables(
	context: CliContext,
	connection: Connection,
	targets: readonly Target[],
	flags: GetFlags,
): Promise<void> {
	let printed = 0;
	for (const target of targets) {
		const { transport } = connection.client;
		const { object } = await transport.request({
			method: 'GET',
			...request(target, connection, flags),
			accept: TABLE,
		});
		const rows = listAt(object, 'rows');
		if (rows.length === 0) continue;
		if (printed > 0) context.stdout.write('\n');
		const many = targets.length > 1 && target.name === undefined;
		context.stdout.write(
			tableOf(object, { ...flags, prefix: many ? target : undefined, header: flags.headers }),
		);
		printed += rows.length;
	}
	if (printed === 0) context.stderr.write(`${nothingFound(connection, targets, flags)}\n`);
}

function nothingFound(connection: Connection, targets: readonly Target[], flags: GetFlags): string {
	const namespaced = targets.some(({ definition }) => definition.namespaced);
	if (flags.allNamespaces || !namespaced) return 'No resources found';
	return `No resources found in ${flags.namespace ?? connection.namespace} namespace.`;
}

interface TableFlags {
	readonly output?: string;
	readonly allNamespaces?: boolean;
	readonly header: boolean;
	/** Names are printed as `job.batch/pi` where several resources come together. */
	readonly prefix: Target | undefined;
}

function tableOf(table: unknown, flags: TableFlags): string {
	const all = listAt(table, 'columnDefinitions');
	const shown = all.flatMap((column, i) =>
		flags.output === 'wide' || objectAt({ column }, 'column').priority === 0
			? [{ name: textAt(column, 'name') ?? '', i }]
			: [],
	);
	const namespaced = flags.allNamespaces === true;
	const rows = listAt(table, 'rows').map((row) => {
		const cells = listAt(row, 'cells').map(String);
		const { metadata } = objectAt(row, 'object');
		if (flags.prefix) cells[0] = displayName(flags.prefix.definition, { metadata: { name: cells[0] ?? '' } });
		const picked = shown.map(({ i }) => cells[i] ?? '');
		return namespaced ? [textAt(metadata, 'namespace') ?? '', ...picked] : picked;
	});
	const names = shown.map(({ name }) => name);
	return tableText(namespaced ? ['Namespace', ...names] : names, rows, { header: flags.header });
}

async function printObjects(
	context: CliContext,
	connection: Connection,
	targets: readonly Target[],
	flags: GetFlags,
): Promise<void> {
	const objects: { readonly target: Target; readonly object: RawObject }[] = [];
	for (const target of targets) {
		const { object } = await connection.client.transport.request({
			method: 'GET',
			...request(target, connection, flags),
		});
		const items = target.name === undefined ? listAt(object, 'items') : [object];
		for (const item of items) if (isRawObject(item)) objects.push({ target, object: item });
	}
	if (flags.output === 'name') {
		const names = objects.map(({ target, object }) => {
			const name = textAt(object.metadata, 'name') ?? '';
			return `${displayName(target.definition, { metadata: { name } })}\n`;
		});
		context.stdout.write(names.join(''));
		return;
	}
	const single = targets.length === 1 && targets[0]?.name !== undefined ? objects[0]?.object : undefined;
	const value = single ?? {
		apiVersion: 'v1',
		items: objects.map(({ object }) => object),
		kind: 'List',
		metadata: { resourceVersion: '' },
	};
	context.stdout.write(
		flags.output === 'yaml' ? await toYaml(value) : `${JSON.stringify(value, undefined, 4)}\n`,
	);
}

/** Prints a row for each state of each object, until it is interrupted or the server ends. */
async function watch(
	context: CliContext,
	connection: Connection,
	targets: readonly Target[],
	flags: GetFlags,
): Promise<void> {
	const [target, ...others] = targets;
	if (!target || others.length > 0)
		throw new CommandError('you may only specify a single resource type with --watch');
	const { transport } = connection.client;
	const listed = request({ ...target, name: undefined }, connection, flags);
	const named: Record<string, string> =
		target.name === undefined ? {} : { fieldSelector: `metadata.name=${target.name}` };
	const query = { ...listed.query, ...named };
	const first = await transport.request({ method: 'GET', path: listed.path, query, accept: TABLE });
	const { columnDefinitions } = isRawObject(first.object) ? first.object : {};
	let header = flags.headers;
	const print = (table: unknown): void => {
		if (listAt(table, 'rows').length === 0) return;
		const whole = { ...(isRawObject(table) ? table : {}), columnDefinitions };
		context.stdout.write(tableOf(whole, { ...flags, header, prefix: undefined }));
		header = false;
	};
	print(first.object);
	const ended = Promise.withResolvers<void>();
	const stop = context.onInterrupt(() => ended.resolve());
	const resourceVersion = textAt(objectAt(first.object, 'metadata'), 'resourceVersion') ?? '';
	const handle = await transport.watch(
		{ method: 'GET', path: listed.path, query: { ...query, watch: 'true', resourceVersion }, accept: TABLE },
		{
			events: (batch: readonly WatchEvent<KubeObject>[]) => {
				for (const { object } of batch) print(object);
			},
			ended: (error) => (error ? ended.reject(error) : ended.resolve()),
		},
	);
	await ended.promise.finally(() => {
		handle.stop();
		stop();
	});
}
