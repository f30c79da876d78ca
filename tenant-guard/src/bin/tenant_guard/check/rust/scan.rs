//! Calls in a macro with a grammar of its own, such as `tokio::select!`: looked for token by token.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::visit::Visit as _;

use super::calls;
use super::resolve::arguments;
use super::walk::Walk;

/// Finds `.query(…)` and `query!(…)` at any depth.
pub(crate) fn calls(walk: &mut Walk<'_>, tokens: &TokenStream) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        match &tokens[..index] {
            [before @ .., TokenTree::Punct(dot), TokenTree::Ident(name)]
                if dot.as_char() == '.' && group.delimiter() == Delimiter::Parenthesis =>
            {
                method(walk, before, name, group);
            }
            [.., TokenTree::Ident(name), TokenTree::Punct(bang)] if bang.as_char() == '!' => {
                macro_call(walk, name, bang, token);
                continue;
            }
            [.., TokenTree::Ident(_)] => function(walk, &tokens[..=index]),
            _ => {}
        }
        calls(walk, &group.stream());
    }
}

fn method(walk: &mut Walk<'_>, before: &[TokenTree], name: &Ident, group: &Group) {
    let arguments = arguments(&group.stream());
    let text = name.to_string();
    let Some(takes) = calls::method(&text, arguments.len()) else {
        return;
    };
    let Some(argument) = arguments.into_iter().nth(takes.argument) else {
        return;
    };
    // What is no expression is a part of the macro's own grammar.
    if let Ok(argument) = syn::parse2(argument)
        && !chain_is_unscoped(before)
    {
        let anchors = [name.span().byte_range().start];
        walk.take(&text, takes, &argument, &anchors);
    }
}

/// Whether the chain of calls before a dot begins with `unscoped(reason)`.
fn chain_is_unscoped(before: &[TokenTree]) -> bool {
    before
        .iter()
        .rev()
        .take_while(|token| match token {
            TokenTree::Punct(mark) => matches!(mark.as_char(), '.' | '?' | ':'),
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => true,
        })
        .any(|token| matches!(token, TokenTree::Ident(name) if name == "unscoped"))
}

fn macro_call(walk: &mut Walk<'_>, name: &Ident, bang: &proc_macro2::Punct, group: &TokenTree) {
    let tokens = [
        TokenTree::from(name.clone()),
        TokenTree::from(bang.clone()),
        group.clone(),
    ];
    if let Ok(mac) = syn::parse2::<syn::Macro>(tokens.into_iter().collect()) {
        walk.visit_macro(&mac);
    }
}

/// `sqlx::query(…)`, of tokens that end with the arguments.
fn function(walk: &mut Walk<'_>, tokens: &[TokenTree]) {
    let is_path = |token: &&TokenTree| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(mark) => mark.as_char() == ':',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    };
    let path = tokens.iter().rev().skip(1).take_while(is_path).count();
    let call = tokens[tokens.len() - 1 - path..].iter().cloned().collect();
    // The arguments are looked at in either case; here it is about the function.
    if let Ok(syn::Expr::Call(call)) = syn::parse2(call) {
        walk.function_call(&call);
    }
}
