import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { unlessGone } from '../../client/outcomes.ts';
import type { Connection } from '../context.ts';
import { untilDeleted } from '../until-deleted.ts';
import type { Follower } from './follower.ts';

/** An object that the run has created, with its follower if it is a Job or Pod. */
export interface CreatedObject {
	readonly definition: ResourceDefinition;
	readonly object: KubeObject;
	readonly follower?: Follower;
}

/**
 * Deletes the objects that a run has created, last one first, and resolves once they and their Pods are gone.
 * When `killNow` aborts (a second interruption), it deletes the remaining Pods with a grace period of 0 and
 * resolves without waiting any longer.
 */
export async function deleteCreated(
	{ client }: Connection,
	created: readonly CreatedObject[],
	killNow: AbortSignal,
): Promise<void> {
	await requestDeletion({ client }, created);
	const backwards = created.toReversed();
	const gone = backwards.map(async ({ definition, object, follower }) => {
		const { name = '', namespace, uid } = object.metadata;
		await untilDeleted(client.resource(definition, namespace), { name, uid }, killNow);
		await follower?.podsGone();
	});
	const killing = Promise.withResolvers<void>();
	killNow.addEventListener('abort', () => killing.resolve(), { once: true });
	if (killNow.aborted) killing.resolve();
	const isKilled = await Promise.race([
		Promise.all(gone).then(() => false),
		killing.promise.then(() => true),
	]);
	if (isKilled) await killPods({ client }, created);
}

/** Deletes the objects that a run has created, last one first, without waiting until they are gone. */
export async function requestDeletion(
	{ client }: Pick<Connection, 'client'>,
	created: readonly CreatedObject[],
): Promise<void> {
	for (const { definition, object } of created.toReversed()) {
		const { name = '', namespace } = object.metadata;
		const options = { propagationPolicy: 'Background' } as const;
		await unlessGone(client.resource(definition, namespace).delete(name, options));
	}
}

/**
 * Deletes all Pods of the run without a grace period, for which the node agent kills their processes at once.
 */
async function killPods(
	{ client }: Pick<Connection, 'client'>,
	created: readonly CreatedObject[],
): Promise<void> {
	const all = created.flatMap(({ follower }) => follower?.pods() ?? []);
	const now = { gracePeriodSeconds: 0 };
	await Promise.all(
		all.map(({ metadata: { name = '', namespace } }) =>
			unlessGone(client.resource(pods, namespace).delete(name, now)),
		),
	);
}
