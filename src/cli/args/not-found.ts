import { jobs } from '../../api/batch/job/definition.ts';
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceClient } from '../../client/client.ts';
import { CommandError, type Connection } from '../context.ts';
import { HintedError, withHint } from '../errors.ts';
import { parseTargets, type Target, UnknownTypeError } from './resource-args.ts';

/**
 * Parses the arguments of a command as {@link parseTargets} does. If the only argument is not a resource type
 * but the name of a Job or Pod, the error has a hint: `there is a Job of this name: job/pi`. Rejects with a
 * CommandError.
 */
export async function targetsOf(
	words: readonly string[],
	connect: () => Promise<Connection>,
	namespace: string | undefined,
): Promise<readonly Target[]> {
	try {
		return parseTargets(words);
	} catch (error) {
		const [word, ...more] = words;
		if (!(error instanceof UnknownTypeError) || word === undefined || more.length > 0) throw error;
		const hint = await connect().then(
			(connection) => hintAtName(connection, word, namespace ?? connection.namespace),
			() => undefined,
		);
		throw hint === undefined ? error : new CommandError(withHint(error.plain, hint));
	}
}

async function hintAtName(
	{ client }: Connection,
	name: string,
	namespace: string,
): Promise<string | undefined> {
	for (const definition of [jobs, pods]) {
		const target: ResourceClient<KubeObject> = client.resource<KubeObject>(definition, namespace);
		const found = await target.get(name).catch(() => undefined);
		if (found) return `there is a ${definition.kind} of this name: ${definition.singular}/${name}`;
	}
	return undefined;
}

/** The kind that a user may have meant instead. */
const OTHERS: ReadonlyMap<ResourceDefinition, ResourceDefinition> = new Map<
	ResourceDefinition,
	ResourceDefinition
>([
	[pods, jobs],
	[jobs, pods],
]);

/** The object that a command requested. */
export interface Wanted {
	readonly definition: ResourceDefinition;
	readonly name: string;
	readonly namespace: string | undefined;
}

/**
 * Adds a hint to a NotFound error about a Pod if a Job of that name exists, and the other way round: `kubectl
 * run` creates a Pod, `stint run` a Job, and both have the name that the user gave. Resolves to any other
 * error unchanged.
 */
export async function hinted(error: unknown, { client }: Connection, wanted: Wanted): Promise<unknown> {
	if (!isApiError(error, 'NotFound')) return error;
	const other: ResourceDefinition | undefined = OTHERS.get(wanted.definition);
	if (!other) return error;
	try {
		await client.resource(other, wanted.namespace).get(wanted.name);
		return new HintedError(error, `there is a ${other.kind} of this name: ${other.singular}/${wanted.name}`);
	} catch {
		return error;
	}
}
