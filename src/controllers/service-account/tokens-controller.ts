import { secrets as secretResource } from '../../api/core/secret/definition.ts';
import type { Secret } from '../../api/core/secret/schema.ts';
import { serviceAccounts } from '../../api/core/serviceaccount/definition.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, type Keys, NO_KEYS, watch } from '../../client/controller.ts';
import { type Informer, keyOf } from '../../client/informer.ts';
import { uidPrecondition, unlessGone, unlessOvertaken } from '../../client/outcomes.ts';
import type { LegacyClaims } from '../../plan/service-account/legacy-token.ts';
import {
	isAccountOf,
	planTokenSecret,
	tokenAccountOf,
	withoutReference,
	withToken,
} from '../../plan/service-account/token-secret.ts';

/** The dependencies of the tokens controller. */
export interface TokensControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly secrets: Informer<Secret>;
	readonly accounts: Informer<ServiceAccount>;
	/** The certificate of the API server's authority, in PEM; undefined if there is none. */
	readonly certificatePem?: string;
	/** Signs a token that the API server accepts. */
	sign(claims: LegacyClaims): Promise<string>;
}

/** The index of Secrets with tokens by the key of their account. */
const BY_ACCOUNT = 'account';

/**
 * Fills Secrets of type `kubernetes.io/service-account-token` with a token, the certificate of the API server and the
 * namespace, and deletes them with their ServiceAccount. Upstream: pkg/controller/serviceaccount/tokens_controller.go;
 * plan/service-account/token-secret.ts decides. The keys are `<namespace>/<Secret>/<account>`: the account is needed
 * when the Secret is gone.
 */
export class TokensController {
	readonly #options: TokensControllerOptions;
	readonly #controller: Controller;

	constructor(options: TokensControllerOptions) {
		const { secrets, accounts } = options;
		this.#options = options;
		secrets.addIndexes({ [BY_ACCOUNT]: (secret) => indexOf(secret) });
		this.#controller = new Controller(
			{
				name: 'serviceaccount_tokens_secret',
				watches: [
					watch(accounts, (account, old) => this.#keysOfEnded(account, old)),
					watch(secrets, (secret, old) => keysOf(secret ?? old)),
				],
				workers: 5,
				backoff: { baseMs: 5, capMs: 1_000_000 },
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or an informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	/** The Secrets of an account that was deleted, or replaced by another of its name. */
	#keysOfEnded(account: ServiceAccount | undefined, old: ServiceAccount | undefined): Keys {
		if (!old || account?.metadata.uid === old.metadata.uid) return NO_KEYS;
		const { namespace = '', name = '' } = old.metadata;
		return this.#options.secrets.indexed(BY_ACCOUNT, keyOf(namespace, name)).flatMap(keysOf);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { client, secrets, accounts, certificatePem } = this.#options;
		const [namespace = '', name = '', accountName = ''] = key.split('/');
		const secret = secrets.get(namespace, name);
		if (!secret) await this.#removeReference(namespace, name, accountName);
		// A Secret of this name for another account has a key of its own.
		if (!secret || tokenAccountOf(secret) !== accountName) return DONE;
		const cached = accounts.get(namespace, accountName);
		// The cache may not show a new account yet, and the Secret must not be deleted for that.
		const account = isAccountOf(secret, cached)
			? cached
			: await unlessGone(client.resource(serviceAccounts, namespace).get(accountName));
		const plan = planTokenSecret(secret, account, certificatePem);
		const target = client.resource(secretResource, namespace);
		if (plan.kind === 'delete') await unlessOvertaken(target.delete(name, uidPrecondition(secret)));
		if (plan.kind !== 'fill') return DONE;
		const token = plan.claims && (await this.#options.sign(plan.claims));
		const filled = token === undefined ? plan.secret : withToken(plan.secret, token);
		await unlessOvertaken(target.update(filled));
		return DONE;
	}

	async #removeReference(namespace: string, secretName: string, accountName: string): Promise<void> {
		const account = this.#options.accounts.get(namespace, accountName);
		const changed = account && withoutReference(account, secretName);
		if (changed) await unlessGone(this.#options.client.resource(serviceAccounts, namespace).update(changed));
	}
}

function keysOf(secret: Secret | undefined): readonly string[] {
	const account = secret && tokenAccountOf(secret);
	if (!secret || account === undefined) return [];
	return [`${keyOf(secret.metadata.namespace ?? '', secret.metadata.name ?? '')}/${account}`];
}

function indexOf(secret: Secret): readonly string[] {
	const account = tokenAccountOf(secret);
	return account === undefined ? [] : [keyOf(secret.metadata.namespace ?? '', account)];
}
