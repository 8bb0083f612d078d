import { isApiError } from '../../api/errors/api-error.ts';
import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { listAt } from '../../client/raw-object.ts';
import { hinted, targetsOf } from '../args/not-found.ts';
import { nothingFound, prefixOf, type Target } from '../args/resource-args.ts';
import { type CliContext, CommandError, type Connection } from '../context.ts';
import { describeError } from '../errors.ts';
import { printObjects } from '../get/objects.ts';
import { type GetFlags, type GetQuery, queryFor, TABLE } from '../get/query.ts';
import { watchObjects } from '../get/watch.ts';
import type { Output } from '../print/output.ts';
import { type OutputForm, parseOutputForm } from '../print/output-form.ts';
import { TablePrinter } from '../print/table.ts';

/** `stint get`: prints objects as a table or in the format of `-o`. Resolves to the exit code. */
export async function getObjects(
	context: CliContext,
	words: readonly string[],
	flags: GetFlags,
): Promise<number> {
	if (flags.raw !== undefined) return getRaw(context, flags.raw, flags);
	const form = parseOutputForm(flags.output);
	const targets = await targetsOf(words, () => context.connect(flags.kubeconfig), flags.namespace);
	if (flags.allNamespaces && targets.some(({ name }) => name !== undefined))
		throw new CommandError('a resource cannot be retrieved by name across all namespaces');
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? connection.namespace);
	const queries = targets.map((target) => queryFor(target, namespace, flags));
	if (flags.watch || flags.watchOnly) return watchObjects(context, connection, { queries, form, flags });
	const { answers, failed } = await sendQueries(context, connection, { queries, form, flags });
	const found = answers.reduce((sum, { object }) => sum + countOf(object), 0);
	if (form.type === 'table') printTables(context, answers, { form, flags });
	else if (found > 0 || (!failed && form.type !== 'columns'))
		writeAs(form, context.stdout, printObjects(answers, form, flags));
	// An empty result is reported only in formats for people. JSON and YAML print an empty List instead.
	const silent = form.type !== 'table' && form.type !== 'columns';
	if (found === 0 && !failed && !silent && !flags.ignoreNotFound)
		context.stderr.print(`${nothingFound(targets, namespace)}\n`);
	return failed ? 1 : 0;
}

/**
 * `--raw`: prints the body of the response unchanged, as it arrives. It is streamed and not requested as an
 * object, since a path may be no JSON (`/metrics`) or never end (a watch).
 */
async function getRaw(context: CliContext, raw: string, flags: GetFlags): Promise<number> {
	const connection = await context.connect(flags.kubeconfig);
	const [path = '', query = ''] = raw.split('?');
	if (!path.startsWith('/')) throw new CommandError(`--raw must be a path, such as /readyz, not "${raw}"`);
	const parameters = Object.fromEntries(new URLSearchParams(query));
	const decoder = new TextDecoder();
	const bytes = await connection.client.transport.stream({ method: 'GET', path, query: parameters });
	for await (const chunk of bytes) {
		context.stdout.write(decoder.decode(chunk, { stream: true }));
		await context.stdout.ready();
	}
	return 0;
}

/**
 * Escapes control characters in names and columns, which people read; JSON, YAML and templates are data for
 * programs.
 */
function writeAs({ type }: OutputForm, stdout: Output, text: string): void {
	if (type === 'name' || type === 'columns') stdout.print(text);
	else stdout.write(text);
}

/** The response of the server to one query: an object, a List or a Table. */
export interface QueryAnswer {
	readonly target: Target;
	readonly object: JsonRecord;
}

/** What is requested, and how its answers are printed. */
interface QueryOptions {
	readonly queries: readonly GetQuery[];
	readonly form: OutputForm;
	readonly flags: GetFlags;
}

/** Sends all queries. If one of several fails, it reports the error and returns the answers of the others. */
async function sendQueries(
	context: CliContext,
	connection: Connection,
	{ queries, form, flags }: QueryOptions,
): Promise<{ readonly answers: readonly QueryAnswer[]; readonly failed: boolean }> {
	const accept = form.type === 'table' ? TABLE : undefined;
	const answers: QueryAnswer[] = [];
	let failed = false;
	for (const { target, path, query } of queries) {
		try {
			const request = { method: 'GET', path, query, ...(accept && { accept }) } as const;
			const { object } = await connection.client.transport.request(request);
			if (isRecord(object)) answers.push({ target, object });
		} catch (error) {
			if (flags.ignoreNotFound && isApiError(error, 'NotFound')) continue;
			// A single request that failed is reported by the caller. NotFound gets a hint below.
			if (queries.length === 1 && !isApiError(error, 'NotFound')) throw error;
			failed = true;
			const { definition, name = '' } = target;
			const namespace = flags.namespace ?? connection.namespace;
			context.stderr.print(
				`${describeError(await hinted(error, connection, { definition, name, namespace }))}\n`,
			);
		}
	}
	return { answers, failed };
}

/**
 * Prints a table per kind, separated by empty lines; with several kinds each name has its resource as prefix.
 */
function printTables(
	context: CliContext,
	answers: readonly QueryAnswer[],
	{ form, flags }: Pick<QueryOptions, 'form' | 'flags'>,
): void {
	const kinds = new Set(answers.map(({ target }) => target.definition));
	const view = {
		wide: form.type === 'table' && form.wide,
		headers: flags.headers,
		withNamespace: flags.allNamespaces ?? false,
		showLabels: flags.showLabels ?? false,
		labelColumns: flags.labelColumns,
	};
	let printed = 0;
	for (const definition of kinds) {
		// Several objects of one kind that were requested by name are printed as one table.
		const printer = new TablePrinter({ ...view, prefix: kinds.size > 1 ? prefixOf(definition) : '' });
		const own = answers.filter(({ target }) => target.definition === definition);
		const [first] = own;
		const rows = own.flatMap(({ object }) => listAt(object, 'rows'));
		const text = printer.print({ ...first?.object, rows });
		if (text === '') continue;
		context.stdout.print(printed > 0 ? `\n${text}` : text);
		printed += 1;
	}
}

/** The number of objects in an answer, which is a Table, a List or a single object. */
function countOf(object: JsonRecord): number {
	if ('rows' in object) return listAt(object, 'rows').length;
	return 'items' in object ? listAt(object, 'items').length : 1;
}
