import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { resourceOfKind } from '../api/resources.ts';
import { sleep } from '../base/clock.ts';
import type { DeleteOptions } from '../client/client.ts';
import { objectAt, textAt } from '../client/raw-object.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from './context.ts';
import { type DeletionFlags, deletionOf, timeoutOf } from './deletion-flags.ts';
import { describeError } from './errors.ts';
import { loadDocuments } from './manifest/load.ts';
import { hinted } from './missing.ts';
import { parseTargets, prefixOf } from './targets.ts';
import { untilGone } from './until-gone.ts';

/** The flags of `delete`. */
export interface DeleteFlags extends CommonFlags, DeletionFlags {
	readonly filename: readonly string[];
	readonly selector?: string;
	readonly fieldSelector?: string;
	readonly allNamespaces?: boolean;
	readonly all?: boolean;
	readonly wait: boolean | string;
	readonly ignoreNotFound?: boolean;
	readonly output?: string;
}

/** An object to delete. */
interface Victim {
	readonly definition: ResourceDefinition;
	readonly namespace: string | undefined;
	readonly name: string;
}

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
	if (flags.force && options.gracePeriodSeconds === 0)
		context.stderr.write(
			'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
		);
	const connection = await context.connect(flags.kubeconfig);
	const { victims, byName } = await victimsOf(context, connection, words, flags);
	if (victims.length === 0) {
		context.stdout.write('No resources found\n');
		return 0;
	}
	const ignoreMissing = flags.ignoreNotFound || !byName;
	const deleted: Deleted[] = [];
	let failed = false;
	for (const victim of victims) {
		try {
			const uid = await deleteOne(connection, victim, options);
			deleted.push({ ...victim, uid });
			context.stdout.write(deletedText(victim, options, flags.output));
		} catch (error) {
			if (ignoreMissing && isApiError(error, 'NotFound')) continue;
			failed = true;
			context.stderr.write(`${describeError(await hinted(error, connection, victim))}\n`);
		}
	}
	if (
		flags.wait !== false &&
		flags.wait !== 'false' &&
		!(await allGone(context, connection, deleted, timeoutMs))
	)
		failed = true;
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
	stderr.write(`error: timed out waiting for the deletion of ${left.join(', ')}\n`);
	return false;
}

interface Victims {
	readonly victims: readonly Victim[];
	/** Whether each was named, so that it is a mistake if it is not there. */
	readonly byName: boolean;
}

async function victimsOf(
	context: CliContext,
	connection: Connection,
	words: readonly string[],
	flags: DeleteFlags,
): Promise<Victims> {
	const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? connection.namespace);
	if (flags.filename.length > 0) {
		if (words.length > 0) throw new CommandError('give either -f or names, not both');
		return { victims: await victimsInFiles(context, flags.filename, namespace ?? 'default'), byName: true };
	}
	if (words.length === 0) throw new CommandError('you must say what to delete: TYPE NAME, or -f FILE');
	const targets = parseTargets(words);
	if (targets.every(({ name }) => name !== undefined)) {
		if (flags.all || flags.selector)
			throw new CommandError('name cannot be provided when a selector is specified');
		return {
			victims: targets.map(({ definition, name = '' }) => ({ definition, namespace, name })),
			byName: true,
		};
	}
	if (!flags.all && !flags.selector && !flags.fieldSelector)
		throw new CommandError('resource(s) were provided, but no name was specified');
	if (flags.all && flags.selector) throw new CommandError('cannot set --all and --selector at the same time');
	const query = {
		...(flags.selector && { labelSelector: flags.selector }),
		...(flags.fieldSelector && { fieldSelector: flags.fieldSelector }),
	};
	const victims: Victim[] = [];
	for (const { definition } of targets) {
		const { items } = await connection.client.resource(definition, namespace).list(query);
		victims.push(...items.map((item) => victimOf(definition, item)));
	}
	return { victims, byName: false };
}

function victimOf(definition: ResourceDefinition, { metadata }: KubeObject): Victim {
	return { definition, namespace: metadata.namespace, name: metadata.name ?? '' };
}

async function victimsInFiles(
	context: CliContext,
	paths: readonly string[],
	namespace: string,
): Promise<readonly Victim[]> {
	const documents = await loadDocuments(context, paths);
	return documents.map(({ file, object, spanOf }) => {
		const [apiVersion = '', kind = ''] = [textAt(object, 'apiVersion'), textAt(object, 'kind')];
		const definition = resourceOfKind(apiVersion, kind);
		const metadata = objectAt(object, 'metadata');
		const name = textAt(metadata, 'name');
		const at = `${file.name}:${spanOf('').line}`;
		if (!definition)
			throw new CommandError(`${at}: no matches for kind "${kind}" in version "${apiVersion}"`);
		if (!name) throw new CommandError(`${at}: resource name may not be empty`);
		return { definition, namespace: textAt(metadata, 'namespace') ?? namespace, name };
	});
}
