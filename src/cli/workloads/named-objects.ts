import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { hinted, targetsOf } from '../args/not-found.ts';
import { CommandError, type CommonFlags, type Connection } from '../context.ts';

/**
 * workloads/: what the commands about Deployments and their relatives have in common: `scale`, `rollout`, `set image`, and
 * `expose`, `logs` and the like of a workload. Read named-objects.ts (which objects), then rollout-state.ts and rollback.ts.
 */

/** The flags that choose objects. */
export interface ChoiceFlags extends CommonFlags {
	readonly selector?: string;
	readonly all?: boolean;
}

/** An object that a command was given. */
export interface NamedObject {
	readonly definition: ResourceDefinition;
	readonly object: KubeObject;
}

/**
 * The objects that the arguments name, as `TYPE NAME...` or `TYPE/NAME...`, or with the flags all of a type. Rejects with a
 * CommandError or an ApiError.
 */
export async function namedObjects(
	connection: Connection,
	words: readonly string[],
	flags: ChoiceFlags,
): Promise<readonly NamedObject[]> {
	const namespace = flags.namespace ?? connection.namespace;
	if (words.length === 0)
		throw new CommandError('specify a resource, such as deployments, or an object, such as deployment/web');
	const found: NamedObject[] = [];
	for (const { definition, name } of await targetsOf(words, async () => connection, namespace)) {
		const target = connection.client.resource(definition, namespace);
		if (name !== undefined) {
			const object = await target.get(name).catch(async (error: unknown) => {
				throw await hinted(error, connection, { definition, name, namespace });
			});
			found.push({ definition, object });
			continue;
		}
		if (!flags.all && !flags.selector)
			throw new CommandError('resource(s) were provided, but no name was specified');
		const { items } = await target.list(flags.selector ? { labelSelector: flags.selector } : {});
		found.push(...items.map((object) => ({ definition, object })));
	}
	return found;
}

/** The name of an object in kubectl's errors: `deployments.apps "web"`. */
export function quotedName({ definition: { group, resource }, object }: NamedObject): string {
	return `${group === '' ? resource : `${resource}.${group}`} "${object.metadata.name}"`;
}
