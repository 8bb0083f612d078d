import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../../api/meta/resource.ts';
import { resourceOfKind } from '../../api/resources.ts';
import { objectAt, textAt } from '../../client/raw-object.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from '../context.ts';
import { loadDocuments } from '../manifest/load.ts';
import { targetsOf } from '../missing.ts';
import type { DeletionFlags } from './deletion-flags.ts';

/** The flags of `delete`. */
export interface DeleteFlags extends CommonFlags, DeletionFlags {
	readonly filename: readonly string[];
	readonly selector?: string;
	readonly fieldSelector?: string;
	readonly allNamespaces?: boolean;
	readonly all?: boolean;
	readonly ignoreNotFound?: boolean;
	readonly output?: string;
}

/** An object to delete. */
export interface Victim {
	readonly definition: ResourceDefinition;
	readonly namespace: string | undefined;
	readonly name: string;
}

/** What is to be deleted. */
export interface Victims {
	readonly victims: readonly Victim[];
	/** Whether each was named, so that it is a mistake if it is not there. */
	readonly byName: boolean;
}

/**
 * The objects that a command line means: those in files, those named, or all that a selector matches.
 * Rejects with a CommandError where it is not clear.
 */
export async function victimsOf(
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
	const targets = await targetsOf(words, async () => connection, namespace);
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
