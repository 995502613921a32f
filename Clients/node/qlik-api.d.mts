export * from './qlik-api.js';
