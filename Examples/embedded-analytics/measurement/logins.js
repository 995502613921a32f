import { loginBackend, provisioningBackend } from './backends.js';
import { compare } from './comparison.js';

// Compares a backend that does all of a login at each page view (a token of its own, the user, the groups, the user's
// token) with one that leaves it to the daemon. No user is there at the start.

await compare({
  backends: [['all of a login for each view', loginBackend], ['tokencached', provisioningBackend]],
  calls: [['calls in tier 2', ({ tiers }) => tiers[2].calls], ['calls in tier 1', ({ tiers }) => tiers[1].calls]],
  stageOptions: { provisioning: true },
});
