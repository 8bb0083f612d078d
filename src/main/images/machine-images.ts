import { makeFolders, systemReason } from '../../base/files/folders.ts';
import { UnusablePathError } from '../../base/files/private-files.ts';
import { codeOf } from '../../base/files/system-error.ts';
import { SystemRandom } from '../../base/random.ts';
import { CommandError } from '../../cli/context.ts';
import type { ImageStore } from '../../image/store/image-store.ts';
import { shimFile } from '../../runtime/process/shim/shim-file.ts';
import { ImageAccess, type ImageAccessOptions } from '../../runtime/sandbox/image-access.ts';
import { probeForImages } from '../../runtime/sandbox/image-machine.ts';
import { VERSION } from '../version.ts';

/** How a command of this machine reads and writes images. Rejects with an error for the user if the folder cannot be used. */
export async function machineImages(
	options: Pick<ImageAccessOptions, 'imageFolder' | 'registriesPath' | 'clock' | 'keepsBlobs' | 'onError'>,
): Promise<ImageAccess> {
	const shim = shimFile();
	const machine = await usingFolder(options.imageFolder, () => probeForImages(shim, options));
	return await ImageAccess.on(
		{ shim, machine },
		{ ...options, random: new SystemRandom(), version: VERSION, keepsAlive: true },
	);
}

/** Opens the store in a folder of images, which is made if it does not exist. Rejects with an error for the user. */
export async function openMachineStore(access: ImageAccess, imageFolder: string): Promise<ImageStore> {
	return await usingFolder(imageFolder, () => access.openStore());
}

/** Calls `act` once the folder exists. */
async function usingFolder<T>(imageFolder: string, act: () => Promise<T>): Promise<T> {
	try {
		makeFolders(imageFolder, 0o700);
		return await act();
	} catch (error) {
		if (error instanceof UnusablePathError)
			throw new CommandError(`the images cannot be used: ${error.message}`);
		if (codeOf(error) === '') throw error;
		throw new CommandError(`the images cannot be used: ${imageFolder}: ${systemReason(error)}`);
	}
}
