import { jobs } from '../api/batch/job/definition.ts';
import { pods } from '../api/core/pod/definition.ts';
import { isApiError } from '../api/meta/api-error.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import type { Connection } from './context.ts';
import { HintedError } from './errors.ts';

const OTHERS: ReadonlyMap<ResourceDefinition, ResourceDefinition> = new Map<
	ResourceDefinition,
	ResourceDefinition
>([
	[pods, jobs],
	[jobs, pods],
]);

/** What was asked for. */
export interface Wanted {
	readonly definition: ResourceDefinition;
	readonly name: string;
	readonly namespace: string | undefined;
}

/**
 * `error`, with a hint where it says that a Pod is not there, but a Job of that name is, or the other
 * way round: `kubectl run` makes a Pod, `stint run` a Job, and both have the name that was given.
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
