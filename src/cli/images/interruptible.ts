import type { CliContext, Interruption } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { LocalImages } from './local-images.ts';

/**
 * Performs a command on images and closes them. A signal ends it: calls in progress are given up, and the store removes
 * their files. Resolves to the exit code.
 */
export async function interruptible(
	context: Pick<CliContext, 'onInterrupt'>,
	images: LocalImages,
	act: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
	let interruption: Interruption | undefined;
	const stop = new AbortController();
	const stopListening = context.onInterrupt((by) => {
		interruption ??= by;
		images.abort();
		stop.abort();
	});
	try {
		const code = await act(stop.signal);
		return interruption === undefined ? code : EXIT_CODES[interruption];
	} catch (error) {
		if (interruption === undefined) throw error;
		return EXIT_CODES[interruption];
	} finally {
		stopListening();
		await images.close();
	}
}
