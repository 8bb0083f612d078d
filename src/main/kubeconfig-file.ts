import { readPrivateFile, writePrivateFile } from '../base/private-files.ts';
import type { WrittenAccess } from '../client/kubeconfig.ts';
import { updateKubeconfig } from '../client/kubeconfig-update.ts';

/**
 * Puts a server's entries into the kubeconfig at `path`, as updateKubeconfig does, in a file of mode 0600.
 * It is written beside and moved into place: a reader sees the old text or the new one, never half of it.
 * `onReplaced` is told why the text before could not be kept. Rejects with an UnusablePathError.
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
