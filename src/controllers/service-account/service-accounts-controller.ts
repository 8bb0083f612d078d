import type { Namespace } from '../../api/core/namespace/schema.ts';
import { DEFAULT_ACCOUNT, serviceAccounts } from '../../api/core/serviceaccount/definition.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import { isApiError, isNamespaceTerminating } from '../../api/errors/api-error.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, NO_KEYS, ownKey, watch } from '../../client/controller.ts';
import type { Informer } from '../../client/informer.ts';
import { planDefaultAccount } from '../../plan/namespace/namespace-objects.ts';

/** The dependencies of the ServiceAccounts controller. */
export interface ServiceAccountsControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly namespaces: Informer<Namespace>;
	readonly accounts: Informer<ServiceAccount>;
}

/**
 * Keeps a ServiceAccount `default` in every active namespace: creates it with the namespace, and again if it is
 * deleted. Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go. The keys are namespaces.
 */
export class ServiceAccountsController {
	readonly #options: ServiceAccountsControllerOptions;
	readonly #controller: Controller;

	constructor(options: ServiceAccountsControllerOptions) {
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'serviceaccount',
				watches: [
					watch(options.accounts, (account, old) =>
						!account && old?.metadata.name === DEFAULT_ACCOUNT ? [old.metadata.namespace ?? ''] : NO_KEYS,
					),
					watch(options.namespaces, ownKey),
				],
				workers: 5,
				backoff: { baseMs: 5, capMs: 1_000_000 },
				reconcile: (name) => this.#reconcile(name),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or an informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(name: string): Promise<Outcome> {
		const { client, namespaces, accounts } = this.#options;
		const plan = planDefaultAccount(namespaces.get('', name), accounts.get(name, DEFAULT_ACCOUNT));
		if (plan.kind === 'keep') return DONE;
		try {
			await client.resource(serviceAccounts, name).create(plan.object);
		} catch (error) {
			// Another writer was faster, or the namespace is being deleted.
			if (!isApiError(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
		}
		return DONE;
	}
}
