import { jobs } from '../../api/batch/job/definition.ts';
import { namespaces } from '../../api/core/namespace/definition.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { unlessGone } from '../../client/outcomes.ts';
import { isFinished } from '../../plan/job/conditions.ts';
import { CommandError, type Connection } from '../context.ts';
import type { CheckedObject } from '../manifest/check.ts';
import { untilDeleted } from '../until-deleted.ts';

/**
 * Deletes finished Jobs of the same names with their Pods if `force` is set, since a finished Job does not
 * run again. Without `force` it rejects with a CommandError if there are any, before it has changed anything.
 */
export async function deleteFinishedJobs(
	{ client }: Connection,
	objects: readonly CheckedObject[],
	force: boolean,
): Promise<void> {
	const finished: CheckedObject[] = [];
	for (const checked of objects)
		if (checked.definition === jobs && (await hasFinished({ client }, checked))) finished.push(checked);
	if (finished.length === 0) return;
	if (!force) {
		const titles = finished.map(({ object }) => `job/${object.metadata.name}`).join(', ');
		throw new CommandError(
			`${titles} has already finished; nothing was started\nhint: --force deletes it and runs it again`,
		);
	}
	for (const { definition, object } of finished) {
		const { name = '', namespace } = object.metadata;
		const target = client.resource(definition, namespace);
		// Foreground: the Job is gone only after its Pods, so that no old Pod runs beside those of the new Job.
		await target.delete(name, { propagationPolicy: 'Foreground' });
		await untilDeleted(target, { name, uid: undefined });
	}
}

/**
 * Whether a Job of this name exists and has finished. A Job that is still running is no obstacle: the run
 * applies the manifest to it and follows it.
 */
async function hasFinished(
	{ client }: Pick<Connection, 'client'>,
	{ object: { metadata } }: CheckedObject,
): Promise<boolean> {
	if (!metadata.name) return false;
	const job = await unlessGone(client.resource(jobs, metadata.namespace).get(metadata.name));
	return job !== undefined && isFinished(job);
}

/** Creates the namespaces of the objects on an embedded server, which starts without the user's namespaces. */
export async function createNamespaces(
	{ client }: Connection,
	objects: readonly CheckedObject[],
): Promise<void> {
	const wanted = new Set(objects.map(({ object }) => object.metadata.namespace ?? 'default'));
	// Namespaces in the manifest itself are created from there, with their labels.
	for (const { definition, object } of objects)
		if (definition === namespaces) wanted.delete(object.metadata.name ?? '');
	for (const name of wanted) {
		const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {}, status: {} };
		await client
			.resource(namespaces)
			.create(namespace)
			.catch((error: unknown) => {
				if (!isApiError(error, 'AlreadyExists')) throw error;
			});
	}
}
