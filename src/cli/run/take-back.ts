import { pods } from '../../api/core/pod/definition.ts';
import { isApiError } from '../../api/meta/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../../api/meta/resource.ts';
import type { Connection } from '../context.ts';
import { untilGone } from '../until-gone.ts';
import type { Followed } from './followed.ts';

/** An object that the run has created, with its follower if it is a Job or Pod. */
export interface Made {
	readonly definition: ResourceDefinition;
	readonly object: KubeObject;
	readonly followed?: Followed;
}

/**
 * Deletes the objects that a run has created, last one first, and resolves once they and their Pods are gone. When
 * `impatient` aborts (a second interruption), it deletes the remaining Pods with a grace period of 0 and resolves
 * without waiting any longer.
 */
export async function takeBack(
	{ client }: Connection,
	made: readonly Made[],
	impatient: AbortSignal,
): Promise<void> {
	const backwards = made.toReversed();
	for (const { definition, object } of backwards) {
		const { name = '', namespace } = object.metadata;
		const options = { propagationPolicy: 'Background' } as const;
		await unlessGone(client.resource(definition, namespace).delete(name, options));
	}
	const gone = backwards.map(async ({ definition, object, followed }) => {
		const { name = '', namespace, uid } = object.metadata;
		await untilGone(client.resource(definition, namespace), { name, uid }, impatient);
		await followed?.podsGone();
	});
	const hurried = Promise.withResolvers<void>();
	impatient.addEventListener('abort', () => hurried.resolve(), { once: true });
	if (impatient.aborted) hurried.resolve();
	const left = await Promise.race([Promise.all(gone).then(() => false), hurried.promise.then(() => true)]);
	if (left) await killPods({ client }, made);
}

async function killPods({ client }: Pick<Connection, 'client'>, made: readonly Made[]): Promise<void> {
	const all = made.flatMap(({ followed }) => followed?.pods() ?? []);
	const now = { gracePeriodSeconds: 0 };
	await Promise.all(
		all.map(({ metadata: { name = '', namespace } }) =>
			unlessGone(client.resource(pods, namespace).delete(name, now)),
		),
	);
}

async function unlessGone(act: Promise<unknown>): Promise<void> {
	try {
		await act;
	} catch (error) {
		if (!isApiError(error, 'NotFound')) throw error;
	}
}
