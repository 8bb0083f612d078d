import { isApiError } from '../../api/errors/api-error.ts';
import { sleep } from '../../base/clock.ts';
import type { DeletionRequest } from '../../client/client.ts';
import { objectAt, textAt } from '../../client/raw-object.ts';
import { hinted } from '../args/not-found.ts';
import { prefixOf } from '../args/resource-args.ts';
import { type CliContext, CommandError, type Connection } from '../context.ts';
import { deletionOf, timeoutOf, waitsFor } from '../delete/deletion-flags.ts';
import { type DeleteFlags, type DeletionTarget, deletionTargetsOf } from '../delete/deletion-targets.ts';
import { describeError } from '../errors.ts';
import { untilDeleted } from '../until-deleted.ts';

/**
 * `stint delete`: deletes objects with their dependents and waits until they are gone. If one cannot be
 * deleted, it reports the error and deletes the others. Resolves to the exit code.
 */
export async function deleteObjects(
	context: CliContext,
	words: readonly string[],
	flags: DeleteFlags,
): Promise<number> {
	const options = deletionOf(flags);
	const timeoutMs = timeoutOf(flags, 'delete');
	const waits = waitsFor(flags);
	if (flags.output !== undefined && flags.output !== 'name')
		throw new CommandError(`unexpected -o output mode: ${flags.output}. We only support '-o name'`);
	// kubectl's warning, to the letter.
	if (flags.force && options.gracePeriodSeconds === 0)
		context.stderr.print(
			'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
		);
	const connection = await context.connect(flags.kubeconfig);
	const { targets, byName } = await deletionTargetsOf({ context, connection }, words, flags);
	if (targets.length === 0) {
		context.stdout.print('No resources found\n');
		return 0;
	}
	// Objects of a selector may be deleted by other clients between our list and our delete: that is no error.
	const ignoreMissing = flags.ignoreNotFound || !byName;
	const deleted: Deleted[] = [];
	let failed = false;
	for (const target of targets) {
		try {
			const uid = await deleteOne(connection, target, options);
			deleted.push({ ...target, uid });
			context.stdout.print(deletedText(target, options, flags.output));
		} catch (error) {
			if (ignoreMissing && isApiError(error, 'NotFound')) continue;
			failed = true;
			context.stderr.print(`${describeError(await hinted(error, connection, target))}\n`);
		}
	}
	if (waits && !(await allGone(context, connection, { deleted, timeoutMs }))) failed = true;
	return failed ? 1 : 0;
}

interface Deleted extends DeletionTarget {
	readonly uid: string | undefined;
}

/**
 * Deletes an object. Resolves to its UID if the response contains it: as the object itself while finalizers
 * or a grace period keep it, or in the details of a Status.
 */
async function deleteOne(
	{ client }: Connection,
	{ definition, namespace, name }: DeletionTarget,
	options: DeletionRequest,
): Promise<string | undefined> {
	const answer = await client.resource(definition, namespace).delete(name, options);
	return textAt(objectAt(answer, 'metadata'), 'uid') ?? textAt(objectAt(answer, 'details'), 'uid');
}

/** kubectl's line for a deleted object. */
function deletedText(
	{ definition, namespace, name }: DeletionTarget,
	options: DeletionRequest,
	output?: string,
): string {
	const prefix = prefixOf(definition);
	if (output === 'name') return `${prefix}${name}\n`;
	const how = options.gracePeriodSeconds === 0 ? 'force deleted' : 'deleted';
	const where = definition.namespaced && namespace ? ` from ${namespace} namespace` : '';
	return `${prefix.slice(0, -1)} "${name}" ${how}${where}\n`;
}

/**
 * Waits until all objects are gone. Resolves to false, after reporting the remaining ones, if the time-out
 * passes first.
 */
async function allGone(
	{ clock, stderr }: CliContext,
	{ client }: Connection,
	{ deleted, timeoutMs }: { readonly deleted: readonly Deleted[]; readonly timeoutMs: number | undefined },
): Promise<boolean> {
	const end = new AbortController();
	if (timeoutMs !== undefined) void sleep(clock, timeoutMs, end.signal).then(() => end.abort());
	// One watch per object, all at once: the time-out is for the whole command, not for each object.
	const waiting = deleted.map(async ({ definition, namespace, name, uid }) => {
		await untilDeleted(client.resource(definition, namespace), { name, uid }, end.signal);
		if (end.signal.aborted) return prefixOf(definition) + name;
		return undefined;
	});
	const left = (await Promise.all(waiting)).filter((name) => name !== undefined);
	end.abort();
	if (left.length === 0) return true;
	stderr.print(`error: timed out waiting for the deletion of ${left.join(', ')}\n`);
	return false;
}
