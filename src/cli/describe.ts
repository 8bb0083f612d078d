import { jobs } from '../api/batch/job/definition.ts';
import { events } from '../api/core/event/definition.ts';
import type { Event } from '../api/core/event/schema.ts';
import { pods } from '../api/core/pod/definition.ts';
import { ageOf } from '../api/meta/duration.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { isRawObject } from '../client/raw-object.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from './context.ts';
import { describeJob } from './describe/job.ts';
import { describePod } from './describe/pod.ts';
import { tableText } from './print/table.ts';
import { toYaml } from './print/yaml.ts';
import { parseTargets } from './targets.ts';

/** The flags of `describe`. */
export interface DescribeFlags extends CommonFlags {
	readonly selector?: string;
}

/** `stint describe`: all that there is to say of an object, in words, with its Events. */
export async function describe(
	context: CliContext,
	words: readonly string[],
	flags: DescribeFlags,
): Promise<void> {
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.namespace ?? connection.namespace;
	let count = 0;
	for (const { definition, name } of parseTargets(words)) {
		const target = connection.client.resource(definition, namespace);
		const query = flags.selector ? { labelSelector: flags.selector } : {};
		const objects = name === undefined ? (await target.list(query)).items : [await target.get(name)];
		for (const object of objects) {
			if (count > 0) context.stdout.write('\n\n');
			count += 1;
			context.stdout.write(await textOf(context, connection, object));
			context.stdout.write(await eventsOf(context, connection, object));
		}
	}
	if (count === 0) throw new CommandError('No resources found');
}

async function textOf(context: CliContext, connection: Connection, object: KubeObject): Promise<string> {
	const { namespace, name = '' } = object.metadata;
	const now = context.clock.now();
	if (object.kind === 'Job')
		return describeJob(connection, await connection.client.resource(jobs, namespace).get(name), now);
	if (object.kind === 'Pod') return describePod(await connection.client.resource(pods, namespace).get(name));
	const { managedFields: _, ...metadata } = object.metadata;
	return toYaml(isRawObject(object) ? { ...object, metadata } : object);
}

async function eventsOf(
	context: CliContext,
	{ client }: Connection,
	{ kind, metadata }: KubeObject,
): Promise<string> {
	// A Node's own Events name it by its name in place of its UID.
	const about =
		kind === 'Node' ? `involvedObject.name=${metadata.name}` : `involvedObject.uid=${metadata.uid}`;
	const { items } = await client
		.resource(events, metadata.namespace ?? 'default')
		.list({ fieldSelector: about });
	if (items.length === 0) return 'Events:  <none>\n';
	const last = (event: Event): string =>
		event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '';
	const rows = items
		.toSorted((a, b) => last(a).localeCompare(last(b)))
		.map((event) => [
			event.type ?? '',
			event.reason ?? '',
			`${ageOf(last(event), context.clock.now())}${(event.count ?? 1) > 1 ? ` (x${event.count})` : ''}`,
			event.source?.component ?? event.reportingComponent,
			event.message ?? '',
		]);
	const table = tableText(['Type', 'Reason', 'Age', 'From', 'Message'], rows);
	return `Events:\n${table.replace(/^/gm, '  ').trimEnd()}\n`;
}
