/**
 * The service account tokens of Pods, by the TokenRequest API, each bound to its Pod (upstream: pkg/kubelet/token). A
 * token is kept in memory until it is due for renewal: after 80 % of its life, and at the latest after a day.
 */

import type { Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { isRecord } from '../../base/json/json.ts';
import { messageOf } from '../../base/message-of.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import { needKey } from '../../plan/pod/inputs/values.ts';

/** Which token a Pod needs. */
export interface TokenNeed {
	readonly serviceAccount: string;
	/** Empty: the API server. */
	readonly audience: string;
	readonly expirationSeconds: number;
}

/** The components of {@link PodTokens}. */
export interface PodTokensOptions {
	readonly client: Client;
	readonly clock: Clock;
	/** Spreads the renewals, so that Pods that started together do not renew together. */
	readonly random: Random;
	/** Called with the UID of a Pod whose token is due: it must read the token again. */
	due(podUid: string): void;
	readonly onError: (about: string, error: unknown) => void;
}

interface Token {
	readonly text: string;
	/** When it expires and when it is renewed, in ms since the epoch. */
	readonly expiresAt: number;
	readonly renewAt: number;
	timer: Timer;
	/** Set by the timer, since the wall clock may have been set back. */
	isDue: boolean;
}

const LONGEST_LIFE_MS = 24 * 3600 * 1000;
const JITTER_MS = 10_000;
/** Delay before a renewal that failed is retried: the old token is still good for a fifth of its life. */
const RETRY_MS = 60_000;

/** See the header of this file. */
export class PodTokens {
	readonly #options: PodTokensOptions;
	/** By Pod UID, then by need. */
	readonly #tokens = new Map<string, Map<string, Token>>();

	constructor(options: PodTokensOptions) {
		this.#options = options;
	}

	/**
	 * The token of the Pod: a new one if there is none or if it is due. If a renewal fails, the old one as long as it is
	 * valid. Rejects with upstream's message.
	 */
	async read(pod: Pod, need: TokenNeed): Promise<string> {
		const { clock, onError } = this.#options;
		const { uid = '' } = pod.metadata;
		const tokens = this.#tokens.get(uid) ?? new Map<string, Token>();
		const key = `${need.serviceAccount}/${needKey({ kind: 'serviceAccountToken', ...need })}`;
		const known = tokens.get(key);
		if (known && !known.isDue && clock.now() < known.renewAt) return known.text;
		try {
			const made = await this.#request(pod, need);
			known?.timer.cancel();
			tokens.set(key, made);
			this.#tokens.set(uid, tokens);
			return made.text;
		} catch (error) {
			const why = messageOf(error);
			if (!known) throw new Error(`failed to fetch token: ${why}`);
			if (clock.now() >= known.expiresAt) throw new Error(`token ${key} expired and refresh failed: ${why}`);
			onError(uid, error);
			known.timer.cancel();
			known.timer = clock.setTimer(RETRY_MS, () => this.#options.due(uid));
			return known.text;
		}
	}

	/** Forgets the tokens of the Pod. The server refuses them once the Pod is deleted. */
	forget(podUid: string): void {
		for (const { timer } of this.#tokens.get(podUid)?.values() ?? []) timer.cancel();
		this.#tokens.delete(podUid);
	}

	/** Forgets all tokens. */
	stop(): void {
		for (const podUid of [...this.#tokens.keys()]) this.forget(podUid);
	}

	async #request(pod: Pod, { serviceAccount, audience, expirationSeconds }: TokenNeed): Promise<Token> {
		const { client, clock, random } = this.#options;
		const { name = '', namespace = '', uid = '' } = pod.metadata;
		const { object } = await client.transport.request({
			method: 'POST',
			path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(serviceAccount)}/token`,
			body: {
				apiVersion: 'authentication.k8s.io/v1',
				kind: 'TokenRequest',
				spec: {
					audiences: audience === '' ? [] : [audience],
					expirationSeconds,
					boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
				},
			},
		});
		const status = isRecord(object) && isRecord(object.status) ? object.status : {};
		const { token, expirationTimestamp } = status;
		if (typeof token !== 'string' || typeof expirationTimestamp !== 'string')
			throw new Error('the response has no token');
		const expiresAt = timeOf(expirationTimestamp) ?? clock.now();
		const renewAt = renewalTime({
			expiresAt,
			lifeMs: expirationSeconds * 1000,
			jitterMs: random.next() * JITTER_MS,
		});
		const made: Token = { text: token, expiresAt, renewAt, isDue: false, timer: NO_TIMER };
		made.timer = clock.setTimer(renewAt - clock.now(), () => {
			made.isDue = true;
			this.#options.due(uid);
		});
		return made;
	}
}

const NO_TIMER: Timer = { cancel: () => {} };

/** Upstream: `requiresRefresh`. */
function renewalTime(token: {
	readonly expiresAt: number;
	readonly lifeMs: number;
	readonly jitterMs: number;
}): number {
	const issuedAt = token.expiresAt - token.lifeMs;
	return Math.min(issuedAt + LONGEST_LIFE_MS, token.expiresAt - token.lifeMs * 0.2) - token.jitterMs;
}
