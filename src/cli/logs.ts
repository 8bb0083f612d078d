import { jobs } from '../api/batch/job/definition.ts';
import { pods } from '../api/core/pod/definition.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { labelSelectorText } from '../api/meta/selector.ts';
import { resourceNamed } from '../api/resources.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from './context.ts';
import { type LogOptions, logLines } from './log-stream.ts';

/** The flags of `logs`. */
export interface LogsFlags extends CommonFlags {
	readonly container?: string;
	readonly allContainers?: boolean;
	readonly follow?: boolean;
	readonly previous?: boolean;
	readonly timestamps?: boolean;
	readonly tail?: string;
	readonly since?: string;
	readonly selector?: string;
	readonly prefix?: boolean;
}

/** `stint logs POD | job/NAME | -l SELECTOR`: prints logs; of several Pods each line with its Pod's name. */
export async function logs(context: CliContext, word: string | undefined, flags: LogsFlags): Promise<void> {
	const connection = await context.connect(flags.kubeconfig);
	const found = await podsOf(connection, word, flags);
	const sources = found.flatMap((pod) => containersOf(pod, flags).map((container) => ({ pod, container })));
	const prefixed = flags.prefix || sources.length > 1;
	const options = optionsOf(flags);
	const stop = new AbortController();
	const off = context.onInterrupt(() => stop.abort());
	const print = async ({ pod, container }: { pod: Pod; container: string }): Promise<void> => {
		const prefix = prefixed ? `[pod/${pod.metadata.name}/${container}] ` : '';
		for await (const lines of logLines(connection, pod, { ...options, container, signal: stop.signal })) {
			context.stdout.write(lines.map((line) => `${prefix}${line}\n`).join(''));
		}
	};
	try {
		if (flags.follow) await Promise.all(sources.map(print));
		else for (const source of sources) await print(source);
	} catch (error) {
		if (!stop.signal.aborted) throw error;
	} finally {
		off();
	}
}

async function podsOf(
	{ client, namespace: own }: Connection,
	word: string | undefined,
	flags: LogsFlags,
): Promise<readonly Pod[]> {
	const namespace = flags.namespace ?? own;
	const target = client.resource(pods, namespace);
	if (flags.selector !== undefined) return (await target.list({ labelSelector: flags.selector })).items;
	if (word === undefined)
		throw new CommandError('expected a Pod, as in: logs POD, logs job/NAME, logs -l app=x');
	const [type = '', name] = word.includes('/') ? word.split('/') : ['pod', word];
	const definition = resourceNamed(type);
	if (definition === pods) return [await target.get(name ?? '')];
	if (definition !== jobs) throw new CommandError(`logs are of Pods and Jobs, not of "${type}"`);
	const job = await client.resource(jobs, namespace).get(name ?? '');
	const labelSelector = labelSelectorText(job.spec.selector);
	const { items } = await target.list({ labelSelector });
	if (items.length === 0) throw new CommandError(`job/${name} has no Pods now`);
	return items.toSorted((a, b) =>
		(a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''),
	);
}

function containersOf({ spec }: Pod, { container, allContainers }: LogsFlags): readonly string[] {
	if (container !== undefined) return [container];
	const names = spec.containers.map(({ name }) => name);
	if (allContainers) return [...(spec.initContainers ?? []).map(({ name }) => name), ...names];
	return names.slice(0, 1);
}

function optionsOf(flags: LogsFlags): LogOptions {
	const tail = flags.tail === undefined ? (flags.selector === undefined ? -1 : 10) : Number(flags.tail);
	if (!Number.isInteger(tail)) throw new CommandError(`--tail: must be a whole number, not "${flags.tail}"`);
	return {
		...(flags.follow && { follow: true }),
		...(flags.previous && { previous: true }),
		...(flags.timestamps && { timestamps: true }),
		...(tail >= 0 && { tailLines: tail }),
		...(flags.since !== undefined && { sinceSeconds: secondsOf(flags.since) }),
	};
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A length as Go writes them: `10s`, `5m`, `1h30m`. */
function secondsOf(text: string): number {
	const parts = [...text.matchAll(/(\d+)([smh])/g)];
	if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
		throw new CommandError(`--since: must be a length of time such as 10s, 5m or 1h30m, not "${text}"`);
	}
	return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}
