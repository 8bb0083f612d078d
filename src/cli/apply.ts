import { isApiError } from '../api/meta/api-error.ts';
import { type Applied, applyObject } from './apply-object.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from './context.ts';
import { describeError } from './errors.ts';
import type { CheckedObject } from './manifest/check.ts';
import { loadManifests } from './manifest/load.ts';
import { refusalError } from './manifest/refusal.ts';
import { displayName } from './targets.ts';
import { untilGone } from './until-gone.ts';

/** The flags of `apply`. */
export interface ApplyFlags extends CommonFlags {
	readonly filename: readonly string[];
	/** Delete and create anew what cannot be changed. */
	readonly force?: boolean;
}

/**
 * `stint apply -f`: creates what is missing and changes what differs, as `kubectl apply` does. All is
 * checked before anything is sent; where the server refuses an object all the same, the others are
 * applied and it is said which were not. Resolves to the exit code.
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
	await untilGone(target, { name, uid: undefined });
	const { object: created } = await applyObject(connection, checked);
	// As kubectl says of it, too: the object was there before and is now as the manifest has it.
	return { object: created, outcome: 'configured' };
}
