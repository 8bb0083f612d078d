import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Parts of a proxy whose connections are upgraded to another protocol. */

/** The head of an answer with these headers, of which names and values alternate, as Latin-1. */
export function answerHead(
	{ statusCode = 502, statusMessage = '' }: Pick<IncomingMessage, 'statusCode' | 'statusMessage'>,
	headers: readonly string[],
): string {
	const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
	for (let index = 0; index < headers.length; index += 2)
		lines.push(`${headers[index]}: ${headers[index + 1]}`);
	return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Passes all bytes on in both directions; resolves once one of them has ended, with both connections closed. */
export function joinStreams(first: Duplex, second: Duplex): Promise<void> {
	return new Promise((resolve) => {
		const over = (): void => {
			first.destroy();
			second.destroy();
			resolve();
		};
		// Two pipelines would add more listeners to a connection than Node takes for sound.
		for (const [from, to] of [
			[first, second],
			[second, first],
		] as const) {
			from.once('close', over).once('error', over);
			to.once('finish', over);
			from.pipe(to);
		}
	});
}
