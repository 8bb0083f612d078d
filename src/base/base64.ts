/**
 * Base64 (RFC 4648, with padding) without Node's Buffer, so that a browser can use it, and without
 * `Uint8Array.toBase64`, which Node 24 lacks.
 */

/** The bytes of a text in UTF-8, as base64. */
export function base64OfText(text: string): string {
	return base64OfBytes(new TextEncoder().encode(text));
}

/** The bytes as base64. */
export function base64OfBytes(bytes: Uint8Array): string {
	let binary = '';
	// A call takes a limited number of arguments, so long texts are converted in pieces.
	for (let at = 0; at < bytes.length; at += PIECE) {
		binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
	}
	return btoa(binary);
}

/**
 * The text whose UTF-8 the base64 holds. Invalid UTF-8 becomes U+FFFD, as in Go's JSON decoder. Throws a
 * DOMException if `base64` is not base64.
 */
export function textOfBase64(base64: string): string {
	const binary = atob(base64);
	const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
	return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** The number of bytes that a valid base64 text holds, without decoding it. */
export function bytesInBase64(base64: string): number {
	const padding = base64.endsWith('==') ? 2 : Number(base64.endsWith('='));
	return (base64.length / 4) * 3 - padding;
}

const PIECE = 8 * 1024;
