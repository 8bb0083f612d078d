/**
 * The frames of Kubernetes' WebSocket sub-protocols for two-way streams: the first byte of each WebSocket
 * message is the channel, the rest are its bytes. In version 5, channel 255 says that the sender has ended the channel
 * in the second byte; version 4 cannot say that (upstream: k8s.io/apimachinery/pkg/util/remotecommand).
 */

import type { DuplexMessage } from '../contract/duplex.ts';

/** The sub-protocols that this program's clients offer, in order of preference. */
export const CHANNEL_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/**
 * The sub-protocols that a server accepts as well. In those with base64, each message is a text: the digit of the channel,
 * and the bytes in base64. Before version 4, the error channel carries a text instead of a Status.
 */
export const OLD_CHANNEL_PROTOCOLS = [
	'v4.base64.channel.k8s.io',
	'channel.k8s.io',
	'base64.channel.k8s.io',
] as const;

/** A sub-protocol for two-way streams. */
export type ChannelProtocol = (typeof CHANNEL_PROTOCOLS)[number] | (typeof OLD_CHANNEL_PROTOCOLS)[number];

/** The channel that ends another one, in version 5. */
const CLOSE_CHANNEL = 255;

const DIGIT_ZERO = 0x30;

/** Whether `name` is a sub-protocol for two-way streams. */
export function isChannelProtocol(name: string): name is ChannelProtocol {
	return [...CHANNEL_PROTOCOLS, ...OLD_CHANNEL_PROTOCOLS].some((each) => each === name);
}

/** Whether the error channel carries a Status as JSON, and not only its message. */
export function hasStatus(protocol: ChannelProtocol): boolean {
	return protocol.startsWith('v');
}

/** The frame for a message, a text or bytes; undefined if the sub-protocol has none. */
export function frameOf(message: DuplexMessage, protocol: ChannelProtocol): Uint8Array | string | undefined {
	if (message.type === 'end')
		return protocol === 'v5.channel.k8s.io' ? Uint8Array.of(CLOSE_CHANNEL, message.channel) : undefined;
	if (isBase64(protocol)) return `${message.channel}${base64Of(message.bytes)}`;
	const frame = new Uint8Array(1 + message.bytes.length);
	frame[0] = message.channel;
	frame.set(message.bytes, 1);
	return frame;
}

/**
 * The message in a frame; undefined if the frame is empty, ends no channel, or is not the base64 that it should be:
 * receivers ignore those.
 */
export function messageOfFrame(frame: Uint8Array, protocol: ChannelProtocol): DuplexMessage | undefined {
	const [channel, ended] = frame;
	if (channel === undefined) return undefined;
	if (isBase64(protocol)) {
		const bytes = bytesOfBase64(frame.subarray(1));
		return bytes && { type: 'data', channel: channel - DIGIT_ZERO, bytes };
	}
	if (channel !== CLOSE_CHANNEL) return { type: 'data', channel, bytes: frame.subarray(1) };
	if (ended === undefined || protocol !== 'v5.channel.k8s.io') return undefined;
	return { type: 'end', channel: ended };
}

function isBase64(protocol: ChannelProtocol): boolean {
	return protocol.endsWith('base64.channel.k8s.io');
}

/** How many bytes are passed as arguments of a call at once. */
const CALL_BYTES = 8192;

// By functions that every supported Node and browser has; Uint8Array.toBase64 is too new.
function base64Of(bytes: Uint8Array): string {
	let binary = '';
	for (let at = 0; at < bytes.length; at += CALL_BYTES)
		binary += String.fromCharCode(...bytes.subarray(at, at + CALL_BYTES));
	return btoa(binary);
}

function bytesOfBase64(text: Uint8Array): Uint8Array | undefined {
	try {
		return Uint8Array.from(atob(new TextDecoder().decode(text)), (character) => character.charCodeAt(0));
	} catch {
		return undefined;
	}
}
