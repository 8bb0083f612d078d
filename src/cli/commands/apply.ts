import { isApiError } from '../../api/errors/api-error.ts';
import { displayName } from '../args/resource-args.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from '../context.ts';
import { describeError } from '../errors.ts';
import { type Applied, applyObject } from '../manifest/apply-object.ts';
import type { CheckedObject } from '../manifest/check.ts';
import { loadManifests } from '../manifest/load.ts';
import { refusalError } from '../manifest/refusal.ts';
import { untilDeleted } from '../until-deleted.ts';

/** The flags of `apply`. */
export interface ApplyFlags extends CommonFlags {
	readonly filename: readonly string[];
	/** Deletes and re-creates objects whose change the API server rejects as invalid (immutable fields). */
	readonly force?: boolean;
}

/**
 * `stint apply -f`: creates missing objects and patches those that differ, as `kubectl apply` does. It checks
 * all objects before it sends the first one. If the server rejects one of them, it still applies the others
 * and reports which ones were not applied. Resolves to the exit code.
 */
export async function apply(context: CliContext, flags: ApplyFlags): Promise<number> {
	if (flags.filename.length === 0)
		throw new CommandError('must specify -f: a file, a folder, or - for standard input');
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.namespace ?? connection.namespace;
	const choice = { namespace, enforced: flags.namespace !== undefined };
	const objects = await loadManifests(context, flags.filename, choice);
	const refused: string[] = [];
	for (const checked of objects) {
		try {
			const { object, outcome } = await applyOne(connection, checked, flags.force ?? false);
			context.stdout.print(`${displayName(checked.definition, object)} ${outcome}\n`);
		} catch (error) {
			refused.push(displayName(checked.definition, checked.object));
			context.stderr.print(`${describeError(refusalError(error, checked.document))}\n`);
		}
	}
	if (refused.length === 0) return 0;
	if (objects.length > 1) context.stderr.print(`error: not applied: ${refused.join(', ')}\n`);
	return 1;
}

async function applyOne(connection: Connection, checked: CheckedObject, force: boolean): Promise<Applied> {
	try {
		return await applyObject(connection, checked);
	} catch (error) {
		if (!force || !isApiError(error, 'Invalid')) throw error;
	}
	const { definition, object } = checked;
	const { name = '', namespace } = object.metadata;
	const target = connection.client.resource(definition, namespace);
	await target.delete(name, { propagationPolicy: 'Background' });
	await untilDeleted(target, { name, uid: undefined });
	const { object: created } = await applyObject(connection, checked);
	// kubectl reports `configured` here as well: for the user the object existed and now matches the manifest.
	return { object: created, outcome: 'configured' };
}
