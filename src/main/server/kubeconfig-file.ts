import { readPrivateFile, writePrivateFile } from '../../base/files/private-files.ts';
import type { WrittenAccess } from '../../client/kubeconfig/kubeconfig.ts';
import { updateKubeconfig } from '../../client/kubeconfig/kubeconfig-update.ts';

/**
 * Writes a server's cluster, user and context into the kubeconfig at `path`, as updateKubeconfig does; mode
 * 0600. The file is written under another name and renamed, so that a reader sees either the old or the new
 * text. Calls `onReplaced` with the reason if the old text was not a valid kubeconfig. Rejects with an
 * UnusablePathError.
 */
export async function updateKubeconfigFile(
	path: string,
	access: WrittenAccess,
	onReplaced: (reason: string) => void,
): Promise<void> {
	const before = readPrivateFile(path);
	const { text, replaced } = await updateKubeconfig(before, access);
	if (text === before) return;
	if (replaced !== undefined) onReplaced(replaced);
	writePrivateFile(path, text);
}
