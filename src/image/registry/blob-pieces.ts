import { type Clock, sleep } from '../../base/clock.ts';
import { backoffDelayMs } from '../../base/queue/backoff.ts';
import { DigestError, DigestVerifier } from '../digest.ts';
import type { Descriptor } from '../manifests/document.ts';
import type { RegistryAnswer } from './http/http-client.ts';
import { RegistryError } from './registry-error.ts';

/** Requests the content of a blob from `offset` on. The answer may begin at 0 nevertheless. */
export type BlobOpener = (offset: number) => Promise<RegistryAnswer>;

/** The parts of {@link blobPieces}. */
export interface BlobPiecesOptions {
	readonly clock: Clock;
	readonly signal?: AbortSignal;
}

/** What containerd says before the reason why it cannot get content. */
export const FAILED_OPEN = 'failed to copy: httpReadSeeker: failed open';

/** How often a transfer is continued in a row without a further byte, and in all: a server may send a byte each time. */
const MAX_FRUITLESS = 3;
const MAX_RESUMPTIONS = 100;
const BACKOFF = { baseMs: 500, capMs: 8000 };

/**
 * The pieces of a blob, whose size and digest are checked. If the connection breaks, stalls, or ends too early, the
 * transfer continues at the byte where it ended. Rejects with RegistryError.
 */
export async function* blobPieces(
	descriptor: Descriptor,
	open: BlobOpener,
	{ clock, signal }: BlobPiecesOptions,
): AsyncGenerator<Uint8Array> {
	const verifier = new DigestVerifier(descriptor.digest);
	const { size } = descriptor;
	let received = 0;
	let fruitless = 0;
	for (let resumptions = 0; ; resumptions += 1) {
		const before = received;
		let isOpen = false;
		let failure: RegistryError;
		try {
			const answer = await open(received);
			isOpen = true;
			for await (const piece of behind(answer, received, descriptor)) {
				received += piece.byteLength;
				if (received > size) throw wrongSize(descriptor, received);
				verifier.update(piece);
				yield piece;
			}
			if (received === size) break;
			failure = new RegistryError('unexpected EOF', { kind: 'unavailable' });
		} catch (error) {
			if (!(error instanceof RegistryError)) throw error;
			failure = error;
		}
		fruitless = received > before ? 1 : fruitless + 1;
		// A request that was not answered has been repeated already.
		const canResume = (isOpen || received > 0) && isTemporary(failure);
		if (!canResume || fruitless > MAX_FRUITLESS || resumptions >= MAX_RESUMPTIONS)
			throw failure.kind === 'corrupt' ? failure : failure.prefixed(isOpen ? 'failed to copy' : FAILED_OPEN);
		await sleep(clock, backoffDelayMs(BACKOFF, fruitless), signal);
		signal?.throwIfAborted();
	}
	verify(verifier, refOf(descriptor, 'layer'));
}

function isTemporary({ kind }: RegistryError): boolean {
	return kind === 'unavailable' || kind === 'timed-out';
}

/** The pieces of the answer behind the first `offset` bytes of the blob, which a server may send once more. */
async function* behind(
	answer: RegistryAnswer,
	offset: number,
	descriptor: Descriptor,
): AsyncGenerator<Uint8Array> {
	const { headers, status } = answer;
	const encoding = headers['content-encoding'];
	if (encoding !== undefined && encoding !== 'identity') {
		answer.discard();
		throw new RegistryError(`unsupported Content-Encoding algorithm: ${encoding.slice(0, 64)}`, {
			kind: 'invalid',
		});
	}
	let skipped = 0;
	if (status === 206) {
		const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1];
		if (Number(start) !== offset) {
			answer.discard();
			throw new RegistryError(`unhandled content range in response: ${start}`, { kind: 'invalid' });
		}
		skipped = offset;
	} else if (
		headers['content-length'] !== undefined &&
		Number(headers['content-length']) !== descriptor.size
	) {
		answer.discard();
		throw wrongSize(descriptor, Number(headers['content-length']));
	}
	for await (const piece of answer.pieces()) {
		const skip = Math.min(offset - skipped, piece.byteLength);
		skipped += skip;
		if (skip < piece.byteLength) yield piece.subarray(skip);
	}
}

/** The bytes, if size and digest are those of the descriptor. `what` is the word of containerd for the content. */
export function checkedBytes(descriptor: Descriptor, bytes: Uint8Array, what: string): Uint8Array {
	if (bytes.byteLength !== descriptor.size) throw wrongSize(descriptor, bytes.byteLength, what);
	const verifier = new DigestVerifier(descriptor.digest);
	verifier.update(bytes);
	verify(verifier, refOf(descriptor, what));
	return bytes;
}

function verify(verifier: DigestVerifier, ref: string): void {
	try {
		verifier.verify();
	} catch (error) {
		if (!(error instanceof DigestError)) throw error;
		throw new RegistryError(`failed commit on ref ${ref}: ${error.message}`, { kind: 'corrupt' });
	}
}

function wrongSize(descriptor: Descriptor, actual: number, what = 'layer'): RegistryError {
	const ref = refOf(descriptor, what);
	const problem = `${ref} failed size validation: ${actual} != ${descriptor.size}: failed precondition`;
	return new RegistryError(`failed commit on ref ${ref}: ${problem}`, { kind: 'corrupt' });
}

function refOf({ digest }: Descriptor, what: string): string {
	return `"${what}-${digest}"`;
}
