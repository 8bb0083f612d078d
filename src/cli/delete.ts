import { isApiError } from '../api/meta/api-error.ts';
import { sleep } from '../base/clock.ts';
import type { DeleteOptions } from '../client/client.ts';
import { objectAt, textAt } from '../client/raw-object.ts';
import { type CliContext, CommandError, type Connection } from './context.ts';
import { deletionOf, timeoutOf, waitsFor } from './delete/deletion-flags.ts';
import { type DeleteFlags, type Victim, victimsOf } from './delete/victims.ts';
import { describeError } from './errors.ts';
import { hinted } from './missing.ts';
import { prefixOf } from './targets.ts';
import { untilGone } from './until-gone.ts';

/**
 * `stint delete`: deletes objects with all that depends on them, and waits until they are gone. What
 * cannot be deleted does not keep the rest from it. Resolves to the exit code.
 */
export async function deleteObjects(
	context: CliContext,
	words: readonly string[],
	flags: DeleteFlags,
): Promise<number> {
	const options = deletionOf(flags);
	const timeoutMs = timeoutOf(flags);
	const waits = waitsFor(flags);
	if (flags.output !== undefined && flags.output !== 'name')
		throw new CommandError(`unexpected -o output mode: ${flags.output}. We only support '-o name'`);
	if (flags.force && options.gracePeriodSeconds === 0)
		context.stderr.print(
			'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
		);
	const connection = await context.connect(flags.kubeconfig);
	const { victims, byName } = await victimsOf(context, connection, words, flags);
	if (victims.length === 0) {
		context.stdout.print('No resources found\n');
		return 0;
	}
	const ignoreMissing = flags.ignoreNotFound || !byName;
	const deleted: Deleted[] = [];
	let failed = false;
	for (const victim of victims) {
		try {
			const uid = await deleteOne(connection, victim, options);
			deleted.push({ ...victim, uid });
			context.stdout.print(deletedText(victim, options, flags.output));
		} catch (error) {
			if (ignoreMissing && isApiError(error, 'NotFound')) continue;
			failed = true;
			context.stderr.print(`${describeError(await hinted(error, connection, victim))}\n`);
		}
	}
	if (waits && !(await allGone(context, connection, deleted, timeoutMs))) failed = true;
	return failed ? 1 : 0;
}

interface Deleted extends Victim {
	readonly uid: string | undefined;
}

/** Resolves to the UID of what was deleted, where the server says it. */
async function deleteOne(
	{ client }: Connection,
	{ definition, namespace, name }: Victim,
	options: DeleteOptions,
): Promise<string | undefined> {
	const answer = await client.resource(definition, namespace).delete(name, options);
	return textAt(objectAt(answer, 'metadata'), 'uid') ?? textAt(objectAt(answer, 'details'), 'uid');
}

function deletedText(
	{ definition, namespace, name }: Victim,
	options: DeleteOptions,
	output?: string,
): string {
	const prefix = prefixOf(definition);
	if (output === 'name') return `${prefix}${name}\n`;
	const how = options.gracePeriodSeconds === 0 ? 'force deleted' : 'deleted';
	const where = definition.namespaced && namespace ? ` from ${namespace} namespace` : '';
	return `${prefix.slice(0, -1)} "${name}" ${how}${where}\n`;
}

/** Waits until everything is gone; false when the time is up before. */
async function allGone(
	{ clock, stderr }: CliContext,
	{ client }: Connection,
	deleted: readonly Deleted[],
	timeoutMs: number | undefined,
): Promise<boolean> {
	const end = new AbortController();
	if (timeoutMs !== undefined) void sleep(clock, timeoutMs, end.signal).then(() => end.abort());
	const waiting = deleted.map(async ({ definition, namespace, name, uid }) => {
		await untilGone(client.resource(definition, namespace), { name, uid }, end.signal);
		if (end.signal.aborted) return prefixOf(definition) + name;
		return undefined;
	});
	const left = (await Promise.all(waiting)).filter((name) => name !== undefined);
	end.abort();
	if (left.length === 0) return true;
	stderr.print(`error: timed out waiting for the deletion of ${left.join(', ')}\n`);
	return false;
}
