import type { Document, YAMLMap } from 'yaml';
import { isWrittenFor, type WrittenAccess, writeKubeconfig } from './kubeconfig.ts';

/** The text of a kubeconfig with the entries of the server. */
export interface UpdatedKubeconfig {
	readonly text: string;
	/** Set if the old text was discarded because it is no kubeconfig: the reason, for a warning. */
	readonly replaced?: string;
}

/**
 * Adds the cluster, the user and the context of `access` to a kubeconfig. A cluster and a user of the same
 * name are replaced. An existing context stays as it is, because the user may have set its namespace. All
 * else in the file stays too: other clusters, users and contexts, the current context, and comments.
 */
export async function updateKubeconfig(
	before: string | undefined,
	access: WrittenAccess,
): Promise<UpdatedKubeconfig> {
	const own = writeKubeconfig(access);
	// The usual case at a start, which needs no YAML library.
	if (before === undefined || before.trim() === '' || isWrittenFor(access.name, before)) return { text: own };
	const { isMap, parseDocument } = await import('yaml');
	const document = parseDocument(before);
	const [problem] = document.errors;
	if (problem || !isMap(document.contents))
		return { text: own, replaced: problem?.message ?? 'it is not a YAML map' };
	const ours = parseDocument(own);
	for (const list of ['clusters', 'users']) replaceEntry(document, list, entryOf(ours, list, access.name));
	if (!entryOf(document, 'contexts', access.name))
		replaceEntry(document, 'contexts', entryOf(ours, 'contexts', access.name));
	if (!document.get('current-context')) document.set('current-context', access.name);
	return { text: document.toString({ lineWidth: 0 }) };
}

function entryOf(document: Document, list: string, name: string): YAMLMap | undefined {
	return entriesOf(document, list).find((entry) => entry.get('name') === name);
}

function entriesOf(document: Document, list: string): readonly YAMLMap[] {
	const found = document.get(list);
	if (!found || typeof found !== 'object' || !('items' in found) || !Array.isArray(found.items)) return [];
	return found.items.filter((item) => item !== null && typeof item === 'object' && 'get' in item);
}

function replaceEntry(document: Document, list: string, entry: YAMLMap | undefined): void {
	if (!entry) return;
	const name = entry.get('name');
	const others = entriesOf(document, list).filter((each) => each.get('name') !== name);
	document.set(list, document.createNode([...others, entry]));
}
