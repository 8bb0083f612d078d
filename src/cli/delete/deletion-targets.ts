import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { resourceOfKind } from '../../api/resources.ts';
import { objectAt, textAt } from '../../client/raw-object.ts';
import { targetsOf } from '../args/not-found.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from '../context.ts';
import { loadDocuments } from '../manifest/load.ts';
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

/** An object that the command deletes. */
export interface DeletionTarget {
	readonly definition: ResourceDefinition;
	readonly namespace: string | undefined;
	readonly name: string;
}

/** The objects that the command deletes, and how the user chose them. */
export interface DeletionTargets {
	readonly targets: readonly DeletionTarget[];
	/**
	 * Whether the user named each object. If so, an object that does not exist is an error; with a selector it
	 * is not.
	 */
	readonly byName: boolean;
}

/**
 * The objects that `delete` deletes: those in the files of -f, those named by arguments, or all that match the
 * selectors. Rejects with a CommandError if the arguments contradict each other, with kubectl's messages.
 */
export async function deletionTargetsOf(
	{ context, connection }: { readonly context: CliContext; readonly connection: Connection },
	words: readonly string[],
	flags: DeleteFlags,
): Promise<DeletionTargets> {
	const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? connection.namespace);
	if (flags.filename.length > 0) {
		if (words.length > 0) throw new CommandError('give either -f or names, not both');
		return { targets: await targetsInFiles(context, flags.filename, namespace ?? 'default'), byName: true };
	}
	if (words.length === 0) throw new CommandError('specify what to delete: TYPE NAME, or -f FILE');
	const chosen = await targetsOf(words, async () => connection, namespace);
	if (chosen.every(({ name }) => name !== undefined)) {
		if (flags.all || flags.selector)
			throw new CommandError('name cannot be provided when a selector is specified');
		return {
			targets: chosen.map(({ definition, name = '' }) => ({ definition, namespace, name })),
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
	const targets: DeletionTarget[] = [];
	for (const { definition } of chosen) {
		const { items } = await connection.client.resource(definition, namespace).list(query);
		targets.push(...items.map((item) => targetOf(definition, item)));
	}
	return { targets, byName: false };
}

function targetOf(definition: ResourceDefinition, { metadata }: KubeObject): DeletionTarget {
	return { definition, namespace: metadata.namespace, name: metadata.name ?? '' };
}

/**
 * The objects of the files. Only their kind and name count, so a file with invalid fields can be used to
 * delete.
 */
async function targetsInFiles(
	context: CliContext,
	paths: readonly string[],
	namespace: string,
): Promise<readonly DeletionTarget[]> {
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
